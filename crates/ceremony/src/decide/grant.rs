//! A login is granted: once, with its browser known from now on, and its event written.

use countersign_device::SessionId;

use super::draft::Draft;
use super::{Cookie, Granted, Outcome, RecoveryCodes};
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
        recovery: Option<RecoveryCodes>,
    ) -> Outcome {
        let proved = match second {
            Second::Proved(kind) => Some(kind),
            Second::NotAsked | Second::Remembered => None,
        };
        if proved.is_some()
            && let Ok(touched) = self.touch(login)
        {
            touched.spend();
        }
        // Remembering is granted by a login that proved a second factor, and by no other (D-17).
        let browser = self.know_browser(cookie, remember && proved.is_some());
        self.record.note_tenant(&login.tenant);
        let session = SessionId::from_random_bytes(self.seed.array());
        let remembered = second == Second::Remembered;
        let replaces = login.session;
        self.note(What::Granted { session, second: proved, remembered, replaces });
        let subject = Subject {
            user: login.user.clone(),
            tenant: login.tenant.clone(),
            application: login.application.clone(),
            email: login.email.clone(),
            session,
            epoch: self.record.epoch,
        };
        let assertion = Assertion { subject, first: login.first, second, auth_time: self.now };
        Outcome::Granted(Box::new(Granted { assertion, browser, recovery, replaces }))
    }
}
