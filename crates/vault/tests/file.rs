//! Key files: who may read them, and how they appear.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]
#![cfg(all(unix, feature = "std"))]

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;

use countersign_vault::file::{self, FileError};
use countersign_vault::{Ring, Vault};

fn ring(seed: u8) -> Ring {
    let mut next = seed;
    Ring::try_new(|secret| {
        secret.fill_with(|| {
            next = next.wrapping_mul(5).wrapping_add(3);
            next
        });
        Ok::<_, ()>(())
    })
    .unwrap()
}

#[test]
fn a_written_ring_loads_and_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    file::create_new(&path, &ring(1)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(*file::load(&path).unwrap().to_text(), *ring(1).to_text());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_existing_ring_is_never_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    file::create_new(&path, &ring(1)).unwrap();
    let refusal = file::create_new(&path, &ring(2)).unwrap_err();
    assert!(
        matches!(&refusal, FileError::Io(_, error) if error.kind() == ErrorKind::AlreadyExists)
    );
    assert_eq!(*file::load(&path).unwrap().to_text(), *ring(1).to_text());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_turned_ring_replaces_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    file::create_new(&path, &ring(1)).unwrap();
    let turned = ring(1)
        .with_new_key(|secret| {
            secret.copy_from_slice(b"another secret of thirty-two byt");
            Ok::<_, ()>(())
        })
        .unwrap();
    file::replace(&path, &turned).unwrap();
    assert_eq!(file::load(&path).unwrap().newest().number(), 2);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    file::create_new(&path, &ring(1)).unwrap();
    for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
        fs::set_permissions(&path, Permissions::from_mode(0o600 | bit)).unwrap();
        let refusal = file::load(&path).unwrap_err();
        assert!(matches!(refusal, FileError::Exposed(_)), "{bit:o}");
        assert!(refusal.to_string().contains("chmod 600"));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    file::load(&path).unwrap();
}

#[test]
fn what_is_no_key_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(file::load(directory.path()), Err(FileError::NotAKeyFile(_))));
    let path = directory.path().join("large");
    fs::write(&path, vec![b'\n'; 1 << 20]).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(file::load(&path), Err(FileError::NotAKeyFile(_))));
    let missing = file::load(directory.path().join("missing")).unwrap_err();
    assert!(matches!(missing, FileError::Io(_, error) if error.kind() == ErrorKind::NotFound));
}

#[test]
fn a_missing_variable_is_named() {
    let refusal = file::load_env("COUNTERSIGN_KEYS_THAT_NOBODY_SETS").unwrap_err();
    assert!(matches!(&refusal, FileError::NotSet(_)));
    assert!(refusal.to_string().contains("COUNTERSIGN_KEYS_THAT_NOBODY_SETS"));
}

// Cargo sets this one for every test; it is no ring.
#[test]
fn a_variable_is_read_as_the_text_of_a_ring() {
    assert!(matches!(file::load_env("CARGO_PKG_NAME"), Err(FileError::Ring(_))));
}

#[test]
fn a_file_of_16_kib_is_read_and_no_larger_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    file::create_new(&path, &ring(1)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for (size, read) in [(16 * 1024, true), (16 * 1024 + 1, false)] {
        let comment = format!("#{}\n", "-".repeat(size - text.len() - 2));
        fs::write(&path, format!("{text}{comment}")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), u64::try_from(size).unwrap());
        assert_eq!(file::load(&path).is_ok(), read, "{size}");
    }
}

#[test]
fn a_bare_name_is_written_where_we_are() {
    // The other tests name their files in full.
    let directory = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&directory).unwrap();
    file::create_new("keys", &ring(1)).unwrap();
    assert_eq!(*file::load(directory.path().join("keys")).unwrap().to_text(), *ring(1).to_text());
}
