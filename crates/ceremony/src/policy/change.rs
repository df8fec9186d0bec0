//! How an operator changes a policy: part by part, each change whole or not at all.

use countersign_device::{ApplicationId, EmailAddress, FactorKind};
use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use super::layer::{Layer, Lockout, MfaPolicy};
use super::scope::Layers;
use super::{Enforce, Policy, PolicyError};
use crate::rules::DELIVERED_SECS;

/// The shortest life of a delivered code that an operator may set, in seconds: mail takes time.
pub const SHORTEST_DELIVERED_SECS: u64 = 300;

/// Must what is changed be there already?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It must not.
    Create,
    /// It must.
    Update,
    /// Either way.
    Put,
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Whom a scope asks, and whether browsers are remembered. What is not given stays as it is,
    /// or is the default: `Force`, off, 14 days.
    Mfa {
        /// Must it be there?
        how: How,
        /// Whom it asks.
        enforce: Option<Enforce>,
        /// May browsers be remembered?
        remember: Option<bool>,
        /// For how many seconds.
        remember_secs: Option<u64>,
    },
    /// A factor is taken, or not.
    Strategy(FactorKind, bool),
    /// What people see of the factors. What is not given stays.
    Factors(Factors),
    /// How many failures a window takes.
    Lockout {
        /// Must it be there?
        how: How,
        /// Does it hold?
        enabled: Option<bool>,
        /// How many.
        max_attempts: Option<u32>,
    },
}

/// What people see of the factors.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Factors {
    /// Factors that are taken, or not.
    pub strategies: Vec<(FactorKind, bool)>,
    /// What the service is called.
    pub issuer: Option<String>,
    /// Where mails come from.
    pub sender: Option<EmailAddress>,
    /// How long a mailed code lives, in seconds: 300 to 600.
    pub delivered_secs: Option<u64>,
    /// The same for a code that goes to a phone.
    pub sms_secs: Option<u64>,
}

/// Which part was changed, for the audit event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Part {
    /// [`Change::Mfa`].
    Mfa,
    /// [`Change::Strategy`].
    Strategies,
    /// [`Change::Factors`].
    Factors,
    /// [`Change::Lockout`].
    Lockout,
}

/// Why nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotChanged {
    /// It is there already.
    Exists,
    /// It is not there.
    Absent,
    /// The change says nothing.
    Nothing,
    /// There are too many applications with a policy of their own.
    TooMany,
    /// A browser is remembered for 1 second to 400 days.
    RememberSecs,
    /// A window takes at least one failure.
    Attempts,
    /// The factor is none that can be turned on.
    Strategy,
    /// The policy would not hold together.
    Policy(PolicyError),
}

impl Change {
    /// Which part it changes.
    #[must_use]
    pub const fn part(&self) -> Part {
        match self {
            Self::Mfa { .. } => Part::Mfa,
            Self::Strategy(..) => Part::Strategies,
            Self::Factors(_) => Part::Factors,
            Self::Lockout { .. } => Part::Lockout,
        }
    }
}

/// Changes the layers of a scope. `composed` is asked what policy would come of them; `id` is that
/// of a policy that is made.
///
/// # Errors
/// Why nothing was changed.
pub fn change(
    layers: &Layers,
    application: Option<&ApplicationId>,
    change: &Change,
    composed: impl Fn(&Layers) -> Policy,
    id: [u8; 16],
    now: UnixTime,
) -> Result<(Layers, Layer), NotChanged> {
    let before = composed(layers);
    let mut changed = layers.clone();
    let layer = changed.layer_mut(application).ok_or(NotChanged::TooMany)?;
    match change {
        Change::Mfa { how, enforce, remember, remember_secs } => {
            let given = (*enforce, *remember, *remember_secs);
            layer.mfa = Some(mfa(layer.mfa.as_ref(), *how, given, id, now)?);
            layer.by_hand.mfa = true;
        }
        Change::Strategy(kind, on) => turn(layer, &before, *kind, *on)?,
        Change::Factors(factors) => set(layer, &before, factors)?,
        Change::Lockout { how, enabled, max_attempts } => {
            let given = (*enabled, *max_attempts);
            layer.lockout = Some(lockout(layer.lockout, *how, given)?);
        }
    }
    let layer = layer.clone();
    let after = composed(&changed);
    after.check().map_err(NotChanged::Policy)?;
    // What contradicts the profile already is mended part by part.
    let stood: Vec<_> = before.contradictions().collect();
    if let Some(new) = after.contradictions().find(|found| !stood.contains(found)) {
        return Err(NotChanged::Policy(PolicyError::Profile(new)));
    }
    Ok((changed, layer))
}

fn mfa(
    present: Option<&MfaPolicy>,
    how: How,
    (enforce, remember, secs): (Option<Enforce>, Option<bool>, Option<u64>),
    id: [u8; 16],
    now: UnixTime,
) -> Result<MfaPolicy, NotChanged> {
    if how == How::Update && enforce.is_none() && remember.is_none() && secs.is_none() {
        return Err(NotChanged::Nothing);
    }
    let present = match (how, present) {
        (How::Create, Some(_)) => return Err(NotChanged::Exists),
        (How::Update, None) => return Err(NotChanged::Absent),
        (_, present) => present,
    };
    let base = present.cloned().unwrap_or_else(|| MfaPolicy {
        id,
        enforce: Enforce::Force,
        remember: countersign_remember::Policy::default(),
        created: now,
        updated: now,
    });
    let remember = countersign_remember::Policy::new(
        remember.unwrap_or_else(|| base.remember.allows()),
        secs.unwrap_or_else(|| base.remember.secs()),
    );
    Ok(MfaPolicy {
        enforce: enforce.unwrap_or(base.enforce),
        remember: remember.map_err(|_| NotChanged::RememberSecs)?,
        updated: now,
        ..base
    })
}

fn turn(layer: &mut Layer, before: &Policy, kind: FactorKind, on: bool) -> Result<(), NotChanged> {
    if !before.strategies.clone().set(kind, on) {
        return Err(NotChanged::Strategy);
    }
    layer.strategies.retain(|(other, _)| *other != kind);
    layer.strategies.push((kind, on));
    layer.by_hand.strategies = true;
    Ok(())
}

fn set(layer: &mut Layer, before: &Policy, factors: &Factors) -> Result<(), NotChanged> {
    for (kind, on) in &factors.strategies {
        turn(layer, before, *kind, *on)?;
    }
    let lives = SHORTEST_DELIVERED_SECS..=DELIVERED_SECS;
    let given = [factors.delivered_secs, factors.sms_secs];
    if given.iter().flatten().any(|secs| !lives.contains(secs)) {
        return Err(NotChanged::Policy(PolicyError::DeliveredSecs));
    }
    layer.delivered_secs = factors.delivered_secs.or(layer.delivered_secs);
    layer.sms_secs = factors.sms_secs.or(layer.sms_secs);
    if factors.issuer.is_some() {
        layer.issuer.clone_from(&factors.issuer);
    }
    if factors.sender.is_some() {
        layer.sender.clone_from(&factors.sender);
    }
    Ok(())
}

fn lockout(
    present: Option<Lockout>,
    how: How,
    (enabled, max_attempts): (Option<bool>, Option<u32>),
) -> Result<Lockout, NotChanged> {
    if how == How::Update && enabled.is_none() && max_attempts.is_none() {
        return Err(NotChanged::Nothing);
    }
    let present = match (how, present) {
        (How::Create, Some(_)) => return Err(NotChanged::Exists),
        (How::Update, None) => return Err(NotChanged::Absent),
        (_, present) => present,
    };
    let lockout = Lockout {
        enabled: enabled.or(present.map(|of| of.enabled)).unwrap_or(true),
        max_attempts: max_attempts
            .or(present.map(|of| of.max_attempts))
            .unwrap_or(u32::from(crate::rules::GUESSES_A_WINDOW)),
    };
    if lockout.max_attempts == 0 { Err(NotChanged::Attempts) } else { Ok(lockout) }
}

#[cfg(test)]
mod tests {
    use super::super::scope::compose;
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn changed(layers: &Layers, to: &Change) -> Result<Layers, NotChanged> {
        let composed = |layers: &Layers| compose(&Policy::default(), None, Some(layers), None);
        change(layers, None, to, composed, [3; 16], NOW).map(|(layers, _)| layers)
    }

    const fn enforcing(how: How, enforce: Option<Enforce>) -> Change {
        Change::Mfa { how, enforce, remember: None, remember_secs: None }
    }

    #[test]
    fn a_policy_is_created_once_and_updated_only_where_it_is() {
        let none = Layers::default();
        let update = enforcing(How::Update, Some(Enforce::DontForce));
        assert_eq!(changed(&none, &update), Err(NotChanged::Absent));
        let made = changed(&none, &enforcing(How::Create, None)).unwrap();
        let mfa = made.layer(None).unwrap().mfa.clone().unwrap();
        assert_eq!((mfa.enforce, mfa.id, mfa.created), (Enforce::Force, [3; 16], NOW));
        assert_eq!(mfa.remember, countersign_remember::Policy::default());
        assert_eq!(changed(&made, &enforcing(How::Create, None)), Err(NotChanged::Exists));
        assert_eq!(changed(&made, &enforcing(How::Update, None)), Err(NotChanged::Nothing));
        let updated = changed(&made, &update).unwrap().layer(None).unwrap().mfa.clone().unwrap();
        assert_eq!((updated.enforce, updated.id), (Enforce::DontForce, mfa.id));
        assert!(changed(&none, &enforcing(How::Put, None)).is_ok());
    }

    #[test]
    fn what_cannot_hold_changes_nothing() {
        let none = Layers::default();
        let zero = Change::Mfa {
            how: How::Put,
            enforce: None,
            remember: Some(true),
            remember_secs: Some(0),
        };
        assert_eq!(changed(&none, &zero), Err(NotChanged::RememberSecs));
        let forced = changed(&none, &enforcing(How::Create, None)).unwrap();
        let off = Change::Strategy(FactorKind::Authenticator, false);
        let no_way = NotChanged::Policy(PolicyError::NoStrategy);
        assert_eq!(changed(&forced, &off), Err(no_way), "somebody has to enrol something");
        let password = Change::Strategy(FactorKind::Password, true);
        assert_eq!(changed(&none, &password), Err(NotChanged::Strategy));
        for secs in [0, 299, 601, u64::MAX] {
            let factors = Factors { delivered_secs: Some(secs), ..Factors::default() };
            let refused = changed(&none, &Change::Factors(factors));
            assert_eq!(refused, Err(NotChanged::Policy(PolicyError::DeliveredSecs)), "{secs}");
        }
        let colon = Factors { issuer: Some("a:b".into()), ..Factors::default() };
        let refused = changed(&none, &Change::Factors(colon));
        assert_eq!(refused, Err(NotChanged::Policy(PolicyError::Issuer)));
    }

    #[test]
    fn a_lockout_takes_at_least_one_attempt() {
        let to = |how, max_attempts| Change::Lockout { how, enabled: None, max_attempts };
        let none = Layers::default();
        assert_eq!(changed(&none, &to(How::Create, Some(0))), Err(NotChanged::Attempts));
        assert_eq!(changed(&none, &to(How::Update, Some(3))), Err(NotChanged::Absent));
        let made = changed(&none, &to(How::Create, Some(3))).unwrap();
        assert_eq!(made.layer(None).unwrap().lockout.unwrap().judged(), 3);
        assert_eq!(changed(&made, &to(How::Create, Some(3))), Err(NotChanged::Exists));
    }
}
