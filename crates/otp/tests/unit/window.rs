use crate::window::*;

extern crate std;
use std::vec::Vec;

#[test]
fn windows_reach_two_steps_either_way() {
    for back in 0..=u8::MAX {
        for ahead in 0..=u8::MAX {
            let window = Window::new(back, ahead);
            assert_eq!(window.is_ok(), back <= 2 && ahead <= 2);
            if let Ok(window) = window {
                assert_eq!((window.back(), window.ahead()), (back, ahead));
                assert_eq!(window.codes(), back + ahead + 1);
                assert_eq!(window.offsets(Drift::NONE).count(), usize::from(window.codes()));
            }
        }
    }
    assert_eq!(Window::DEFAULT, Window::new(1, 1).unwrap());
    assert_eq!(Window::NONE.codes(), 1);
}

#[test]
fn drift_shifts_the_window_and_never_widens_it() {
    let window = Window::new(2, 1).unwrap();
    for steps in -20..=20 {
        let offsets: Vec<i8> = window.offsets(Drift::new(steps).unwrap()).collect();
        assert_eq!(offsets, [steps - 2, steps - 1, steps, steps + 1]);
    }
}

#[test]
fn drift_is_learned_to_two_steps_and_set_to_twenty() {
    assert!(Drift::new(-21).is_err() && Drift::new(21).is_err() && Drift::new(i8::MIN).is_err());
    let learn = |from, offset, early| Drift::new(from).unwrap().learn(offset, early).steps();
    let offsets = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
    assert_eq!(offsets.map(|o| learn(0, o, true)), [-2, -2, -1, 0, 0, 1, 2, 2, 2]);
    assert_eq!(offsets.map(|o| learn(0, o, false)), [-2, -2, -2, -1, 0, 0, 1, 2, 2]);
    assert_eq!([14, 15, 16].map(|o| learn(15, o, true)), [15, 15, 15]);
    assert_eq!([14, 15, 16].map(|o| learn(15, o, false)), [14, 15, 15]);
    assert_eq!([-16, -15, -14].map(|o| learn(-15, o, true)), [-15, -15, -14]);
    assert_eq!([-16, -15, -14].map(|o| learn(-15, o, false)), [-15, -15, -15]);
    assert_eq!([learn(2, 3, true), learn(3, 4, true), learn(3, 2, false)], [2, 3, 2]);
    assert_eq!(Drift::default(), Drift::NONE);
}

#[test]
fn a_radius_has_its_pairs() {
    assert!(Radius::new(0).is_err() && Radius::new(21).is_err());
    let offsets: Vec<i8> = Radius::new(3).unwrap().offsets().collect();
    assert_eq!(offsets, [-4, -3, -2, -1, 0, 1, 2, 3]);
    assert_eq!(Radius::MAX.offsets().count(), 42);
    assert_eq!(Radius::MAX.steps(), 20);
}
