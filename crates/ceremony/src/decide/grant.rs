//! A login is granted: once, with its browser known from now on, and its event written.

use countersign_device::{EmailAddress, EmailFactor, SessionId};
use countersign_token::RecoveryCode;

use super::draft::Draft;
use super::{Cookie, Granted, Notice, NoticeOf, Outcome};
use crate::assertion::{Assertion, Second, Subject};
use crate::audit::What;
use crate::claims::Login;

impl Draft<'_> {
    /// Grants a login. Where a code was judged, its login is touched already, and spent here.
    pub(super) fn grant(
        &mut self,
        login: &Login,
        second: Second,
        cookie: &Cookie,
        remember: bool,
        recovery: Option<RecoveryCode>,
    ) -> Outcome {
        let proved = match second {
            Second::Proved(kind) => Some(kind),
            Second::NotAsked | Second::Remembered => None,
        };
        if proved.is_some()
            && let Ok(touched) = self.touch(login)
        {
            touched.spent = true;
            touched.challenge = None;
        }
        // Remembering is granted by a login that proved a second factor, and by no other (D-17).
        let browser = self.know_browser(cookie, remember && proved.is_some());
        let session = SessionId::from_random_bytes(self.seed.array());
        let remembered = second == Second::Remembered;
        self.note(What::Granted { session, second: proved, remembered });
        let subject = Subject {
            user: login.user.clone(),
            tenant: login.tenant.clone(),
            application: login.application.clone(),
            email: login.email.clone(),
            session,
            epoch: self.record.epoch,
        };
        let assertion = Assertion { subject, first: login.first, second, auth_time: self.now };
        let notices = self.take_notices(login);
        Outcome::Granted(Box::new(Granted { assertion, browser, recovery, notices }))
    }

    /// Notes that somebody is to be told of something, once it is settled.
    pub(super) fn notice(&mut self, of: NoticeOf) {
        self.notices.push(of);
    }

    /// The notices so far, to the addresses of a login and of the email factor.
    pub(super) fn take_notices(&mut self, login: &Login) -> Vec<Notice> {
        self.take_notices_for(login.email.as_ref())
    }

    /// The notices so far, to this address and the one of the email factor.
    pub(super) fn take_notices_for(&mut self, email: Option<&EmailAddress>) -> Vec<Notice> {
        let bound = self.record.email.as_ref().map(EmailFactor::address);
        let mut addresses: Vec<EmailAddress> = bound.into_iter().chain(email).cloned().collect();
        addresses.dedup_by(|a, b| a.canonical() == b.canonical());
        let notices = std::mem::take(&mut self.notices);
        let to_all = notices.into_iter().flat_map(|of| {
            addresses.iter().map(move |to| Notice { to: to.clone(), of }).collect::<Vec<_>>()
        });
        to_all.collect()
    }
}
