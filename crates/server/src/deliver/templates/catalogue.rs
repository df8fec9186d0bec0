//! The names of all messages, and their built-in texts.

use countersign_ceremony::decide::NoticeOf;
use countersign_ceremony::record::CodePurpose;
use countersign_device::FactorKind;

use super::template::Allowed;

macro_rules! catalogue {
    ($($variant:ident $file:literal),+ $(,)?) => {
        /// The name of a message.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(in crate::deliver) enum Name {
            $($variant),+
        }

        impl Name {
            pub(super) const ALL: [Self; [$($file),+].len()] = [$(Self::$variant),+];

            /// The name of its files, without what follows the dot.
            pub(super) const fn file(self) -> &'static str {
                match self {
                    $(Self::$variant => $file),+
                }
            }

            /// Its text in one of the built-in languages.
            pub(super) fn built_in(self, language: &str) -> Option<&'static str> {
                match (language, self) {
                    $(
                        ("en", Self::$variant) => Some(include_str!(concat!("en/", $file, ".txt"))),
                        ("de", Self::$variant) => Some(include_str!(concat!("de/", $file, ".txt"))),
                    )+
                    _ => None,
                }
            }
        }
    };
}

catalogue! {
    CodeLogIn "code-login",
    CodeEnrol "code-enrol",
    CodeRemoval "code-removal",
    SmsLogIn "sms-login",
    SmsEnrol "sms-enrol",
    SmsRemoval "sms-removal",
    AppAdded "factor-added-app",
    EmailAdded "factor-added-email",
    PhoneAdded "factor-added-phone",
    PasskeyAdded "factor-added-passkey",
    AppRemoved "factor-removed-app",
    EmailRemoved "factor-removed-email",
    PhoneRemoved "factor-removed-phone",
    PasskeyRemoved "factor-removed-passkey",
    FactorsRemoved "factors-removed",
    RecoveryIssued "recovery-issued",
    RecoveryUsed "recovery-used",
    BrowserStolen "browser-stolen",
    PasskeyCopied "passkey-copied",
    BrowserRemembered "browser-remembered",
    GuessingStopped "guessing-stopped",
    AddressChanged "address-changed",
    LedgerRefill "ledger-refill",
}

impl Name {
    /// The mail that brings a code.
    pub(in crate::deliver) const fn of_code(purpose: CodePurpose) -> Self {
        match purpose {
            CodePurpose::LogIn => Self::CodeLogIn,
            CodePurpose::Enrol => Self::CodeEnrol,
            CodePurpose::Disable => Self::CodeRemoval,
        }
    }

    /// The message to a phone that brings a code.
    pub(in crate::deliver) const fn of_text(purpose: CodePurpose) -> Self {
        match purpose {
            CodePurpose::LogIn => Self::SmsLogIn,
            CodePurpose::Enrol => Self::SmsEnrol,
            CodePurpose::Disable => Self::SmsRemoval,
        }
    }

    /// The mail that tells what happened.
    pub(in crate::deliver) const fn of_notice(notice: NoticeOf) -> Self {
        match notice {
            NoticeOf::FactorAdded(factor) => match factor {
                FactorKind::Email => Self::EmailAdded,
                FactorKind::Sms => Self::PhoneAdded,
                FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform => {
                    Self::PasskeyAdded
                }
                _ => Self::AppAdded,
            },
            NoticeOf::FactorRemoved(factor) => match factor {
                FactorKind::Email => Self::EmailRemoved,
                FactorKind::Sms => Self::PhoneRemoved,
                FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform => {
                    Self::PasskeyRemoved
                }
                _ => Self::AppRemoved,
            },
            NoticeOf::FactorsRemoved => Self::FactorsRemoved,
            NoticeOf::RecoveryIssued => Self::RecoveryIssued,
            NoticeOf::RecoveryUsed => Self::RecoveryUsed,
            NoticeOf::BrowserStolen => Self::BrowserStolen,
            NoticeOf::PasskeyCopied => Self::PasskeyCopied,
            NoticeOf::BrowserRemembered => Self::BrowserRemembered,
            NoticeOf::GuessingStopped => Self::GuessingStopped,
            NoticeOf::AddressChanged => Self::AddressChanged,
        }
    }

    pub(super) const fn is_to_phone(self) -> bool {
        matches!(self, Self::SmsLogIn | Self::SmsEnrol | Self::SmsRemoval)
    }

    const fn brings_code(self) -> bool {
        self.is_to_phone() || matches!(self, Self::CodeLogIn | Self::CodeEnrol | Self::CodeRemoval)
    }

    pub(super) const fn allowed(self) -> Allowed {
        match self {
            Self::LedgerRefill => Allowed::LINK,
            _ if self.brings_code() => Allowed::CODE,
            _ => Allowed::NOTICE,
        }
    }
}
