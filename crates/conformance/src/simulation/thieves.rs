//! Those who would be an owner.

use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Reply};
use countersign_remember::Cookie;

use super::clockwork::Group;
use super::history::Seen;
use super::people::Person;

impl Person {
    /// Another login is ready, and its code on its way with the owner's.
    pub(super) async fn race(&self, code: &str) {
        let nowhere = Cookie::default();
        let Ok((Reply::Challenged(asked), _)) = self.begin(&nowhere).await else { return };
        let (thief, code) = (self.clone(), code.to_owned());
        self.site.world.spawn(Group::WORLD, async move {
            let _ = thief.code(asked.token.as_str(), &nowhere, &code, false).await;
        });
    }

    /// Somebody who knows the password: guesses, and types what the owner typed.
    pub(super) async fn steal(self) {
        let world = self.site.world.clone();
        for _ in 0..6 {
            world.sleep(world.below(60_000)).await;
            if !self.account.is_settled() {
                continue;
            }
            let pocket = self.account.pocket().clone();
            let cookie = if world.chance(150) { pocket.cookie } else { Cookie::default() };
            let Ok((Reply::Challenged(asked), _)) = self.begin(&cookie).await else { continue };
            for _ in 0..4 {
                let seen = world.below(pocket.typed.len().saturating_add(2) as u64);
                let seen = usize::try_from(seen).unwrap_or(0);
                let guess = format!("{:06}", world.below(1_000_000));
                let code = pocket.typed.get(seen).cloned().unwrap_or(guess);
                let (thief, cookie) = (self.clone(), cookie.clone());
                let token = asked.token.as_str().to_owned();
                world.spawn(Group::WORLD, async move {
                    let reply = thief.code(&token, &cookie, &code, false).await;
                    let stranger = cookie.entries().is_empty();
                    if matches!(reply, Ok((Reply::Refused(Refusal::Code), _))) && stranger {
                        let user = thief.account.number;
                        thief.note(Seen::Refused { user, stranger });
                    }
                });
            }
        }
    }

    /// Somebody who knows the name, and tries every door that asks for no password.
    pub(super) async fn rattle(self) {
        let world = self.site.world.clone();
        for _ in 0..12 {
            world.sleep(world.below(40_000)).await;
            let address = self.account.address.clone();
            let code = format!("{:016}", world.below(10_000_000_000_000_000));
            let _ = self
                .site
                .ask(|node| async move {
                    let recovered = node.recover(&address, &code, &Client::default()).await?;
                    let guessed =
                        node.code("none", &Client::default(), None, "123456", true).await?;
                    Ok((recovered, guessed))
                })
                .await;
        }
    }
}
