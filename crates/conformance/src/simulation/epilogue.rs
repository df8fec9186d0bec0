//! When the story is over and the weather fair: do two copies of one thing both live on?

use countersign_ceremony::engine::{Reply, Tokens};
use countersign_remember::Cookie;

use super::bug::Invariant;
use super::history::Seen;
use super::people::Person;
use super::site::NoAnswer;

/// Longer than the grace of a rotated secret.
const PAST_THE_GRACE: u64 = 61_000;

impl Person {
    /// Two people use what one of them carries, in turn.
    pub(super) async fn copy(self, failovers: bool) {
        self.copy_browser(failovers).await;
        self.copy_session(failovers).await;
    }

    async fn copy_browser(&self, failovers: bool) {
        let one = self.account.pocket().cookie.clone();
        let Some(mine) = self.skipped(&one).await else { return };
        self.pass(failovers).await;
        // Presented, so that the copy's secret is known to be the one before.
        let Some(mine) = self.skipped(&mine).await else { return };
        self.pass(failovers).await;
        let Some(theirs) = self.skipped(&one).await else { return };
        self.pass(false).await;
        let Some(theirs) = self.skipped(&theirs).await else { return };
        self.pass(false).await;
        let Some(mine) = self.skipped(&mine).await else { return };
        self.pass(false).await;
        if self.skipped(&theirs).await.is_some() && self.skipped(&mine).await.is_some() {
            self.forked("two copies of a remembered browser");
        }
    }

    /// Does this browser skip the step? Then with the cookie that it has afterwards.
    async fn skipped(&self, cookie: &Cookie) -> Option<Cookie> {
        match self.patiently(cookie).await? {
            Reply::Granted(granted) => Some(granted.cookie.unwrap_or_else(|| cookie.clone())),
            _ => None,
        }
    }

    async fn patiently(&self, cookie: &Cookie) -> Option<Reply> {
        for _ in 0..3 {
            if let Ok((reply, _)) = self.begin(cookie).await {
                return Some(reply);
            }
        }
        None
    }

    async fn copy_session(&self, failovers: bool) {
        let Some(one) = self.account.pocket().refresh.clone() else { return };
        let Ok(Some(mine)) = self.refreshed(&one).await else { return };
        self.pass(failovers).await;
        let Ok(Some(theirs)) = self.refreshed(&one).await else { return };
        let Ok(Some(mine)) = self.refreshed(&mine.refresh).await else { return };
        let Ok(Some(theirs)) = self.refreshed(&theirs.refresh).await else { return };
        let both = (self.refreshed(&mine.refresh).await, self.refreshed(&theirs.refresh).await);
        if matches!(both, (Ok(Some(_)), Ok(Some(_)))) {
            self.forked("two copies of a refresh token");
        }
    }

    async fn refreshed(&self, token: &str) -> Result<Option<Tokens>, NoAnswer> {
        let token = token.to_owned();
        self.site.ask(|node| async move { node.refresh(&token).await }).await
    }

    async fn pass(&self, failover: bool) {
        self.site.world.sleep(PAST_THE_GRACE).await;
        if failover && self.site.world.chance(500) {
            let last = 1_u64.saturating_add(self.site.world.below(3));
            self.site.platter.forget(usize::try_from(last).unwrap_or(1)).await;
        }
    }

    fn forked(&self, what: &str) {
        let what = format!("user {}: {what} live on", self.account.number);
        self.note(Seen::Broken(Invariant::NoFork, what));
    }
}
