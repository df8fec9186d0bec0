//! Any text is read as a recovery code or refused, and one that is read has one form; any stored
//! hash of a password or a code is read within its bounds or refused.
#![no_main]

use countersign_token::RecoveryCode;
use countersign_token::password::PasswordHash;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(code) = RecoveryCode::parse(text) {
        let revealed = code.reveal();
        assert_eq!(revealed.len(), RecoveryCode::CHARS);
        assert!(RecoveryCode::parse(&revealed).is_ok_and(|again| again == code));
        // Folding is what people write, and nothing else.
        let folded: String = text
            .chars()
            .filter(|char| !matches!(char, ' ' | '-'))
            .map(|char| match char.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        assert_eq!(folded, **revealed);
    }
    if let Ok(hash) = PasswordHash::parse(text) {
        assert_eq!(hash.as_str(), text);
        assert!(hash.params().memory() <= 1 << 20 && hash.params().passes() <= 16);
    }
});
