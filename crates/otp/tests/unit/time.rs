use crate::time::*;
use crate::*;

#[test]
fn periods_are_15_to_120_seconds() {
    for secs in [0, 1, 14, 121, u64::MAX] {
        assert_eq!(Period::new(secs), Err(Invalid::Period), "{secs}");
    }
    for secs in [15, 30, 60, 120] {
        assert_eq!(Period::new(secs).unwrap().secs(), secs);
    }
    assert_eq!(Period::THIRTY.secs(), 30);
}

#[test]
fn a_step_lasts_its_period() {
    let at = |secs| Period::THIRTY.step_at(UnixTime::from_secs(secs)).number();
    assert_eq!((at(0), at(29), at(30), at(59), at(60)), (0, 0, 1, 1, 2));
    assert_eq!(at(u64::MAX), u64::MAX / 30);
    let left = |secs| Period::THIRTY.remaining(UnixTime::from_secs(secs));
    assert_eq!((left(0), left(1), left(29), left(30)), (30, 29, 1, 30));
}

#[test]
fn time_saturates() {
    let last = UnixTime::from_secs(u64::MAX);
    assert_eq!(last.saturating_add(1), last);
    assert_eq!(UnixTime::EPOCH.saturating_sub(1), UnixTime::EPOCH);
    assert_eq!(UnixTime::from_secs(5).saturating_add(7).saturating_sub(2).secs(), 10);
    assert_eq!(UnixTime::from_secs(9).since(UnixTime::from_secs(4)), 5);
    assert_eq!(UnixTime::from_secs(4).since(UnixTime::from_secs(9)), 0);
}

#[test]
fn steps_have_ends() {
    let (first, last) = (Step::new(0), Step::new(u64::MAX));
    assert_eq!(first.checked_offset(-1), None);
    assert_eq!(last.checked_offset(1), None);
    assert_eq!(first.checked_offset(2), Some(Step::new(2)));
    assert_eq!(last.checked_offset(-2), Some(Step::new(u64::MAX - 2)));
    assert_eq!(last.offset_from(first), i8::MAX);
    assert_eq!(first.offset_from(last), -i8::MAX);
    assert_eq!(Step::new(7).offset_from(Step::new(9)), -2);
    assert_eq!(Step::new(9).offset_from(Step::new(7)), 2);
}
