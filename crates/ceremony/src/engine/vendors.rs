//! Clients of the management routes: added, revoked, and told by their tokens.

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_device::{ClientId, DeviceId, TenantId};
use countersign_otp::UnixTime;
use countersign_token::Token;
use zeroize::Zeroizing;

use super::{Engine, Error};
use crate::audit::{Audit, By, ClientChange, Id, What};
use crate::codec;
use crate::names::Names;
use crate::port::{EventRow, Key, Store};
use crate::records;
use crate::vendor::{
    Added, Bought, CLIENTS, Client, Clients, Powers, REFUSALS_APART_SECS, TOKEN_SECS, TokenId,
    VendorClaims, VendorKind, digest,
};

impl<S: Store> Engine<S> {
    /// Adds a client. None: there are too many already.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn add_client(
        &self,
        name: &str,
        powers: Powers,
        tenant: Option<TenantId>,
    ) -> Result<Option<Added>, Error> {
        let id = ClientId::parse(&DeviceId::from_random_bytes(self.env.draw()?).to_string());
        let id = id.map_err(|_| Error::Token)?;
        let random = Zeroizing::new(self.env.draw::<32>()?);
        let secret = Zeroizing::new(Base64UrlUnpadded::encode_string(random.as_slice()));
        let client = Client {
            id: id.clone(),
            name: name.to_owned(),
            powers,
            tenant,
            epoch: 0,
            created: self.env.clock.now(),
            last_token: None,
            tokens: Vec::new(),
            last_refusal: None,
            secret: Some(*digest(&*self.env.vault, id.as_str(), &secret).as_bytes()),
        };
        if !self.list_client(&id).await? {
            return Ok(None);
        }
        let event = self.client_event(&id, ClientChange::Added)?;
        let key = self.client_key(id.as_str());
        records::change(&*self.store, &self.env, key, None, |_: Option<Client>| {
            (Some(client.clone()), vec![event.clone()], ())
        })
        .await?;
        Ok(Some(Added { client: id, secret }))
    }

    /// All clients, the oldest first, with their tokens that live.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn clients(&self) -> Result<Vec<Client>, Error> {
        let key = Names(&*self.env.vault).clients(&self.settings.realm);
        let list = records::look::<S, Clients>(&*self.store, &self.env, key).await?.value;
        let now = self.env.clock.now();
        let mut clients: Vec<Client> = Vec::new();
        for id in list.unwrap_or_default().0 {
            // Listed before it was written, and its maker crashed between the two: there is none.
            clients.extend(self.client(id.as_str()).await?);
        }
        clients.iter_mut().for_each(|client| client.tokens.retain(|token| now < token.ends));
        Ok(clients)
    }

    /// Ends all tokens of a client at their next request; with `secret`, its secret buys no more.
    /// False: there is no such client.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn revoke_client(&self, id: &ClientId, secret: bool) -> Result<bool, Error> {
        let key = self.client_key(id.as_str());
        let event = self.client_event(id, ClientChange::Revoked)?;
        records::change(&*self.store, &self.env, key, None, |client: Option<Client>| {
            let Some(mut client) = client else { return (None, Vec::new(), false) };
            client.epoch = client.epoch.saturating_add(1);
            client.tokens.clear();
            client.secret = client.secret.filter(|_| !secret);
            (Some(client), vec![event.clone()], true)
        })
        .await
    }

    /// Trades a client's secret for a token. None: there is no such client, or the secret is
    /// wrong; both are told alike. A wrong secret of a client that there is is written down, once an
    /// hour: a secret of 256 bits is not guessed, and whoever tries should fill no outbox.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn buy_token(&self, id: &str, secret: &str) -> Result<Option<Bought>, Error> {
        let vault = &*self.env.vault;
        let client = self.client(id).await?;
        let matches = Client::has_secret(client.as_ref(), vault, id, secret);
        let Some(client) = client else { return Ok(None) };
        if !matches {
            self.note_refusal(&client.id).await?;
            return Ok(None);
        }
        let event = self.client_event(&client.id, ClientChange::TokenBought)?;
        let (now, key) = (self.env.clock.now(), self.client_key(id));
        let (id, ends) = (TokenId(self.env.draw()?), now.saturating_add(TOKEN_SECS));
        let client = records::change(&*self.store, &self.env, key, None, |of: Option<Client>| {
            // It may have been revoked meanwhile.
            let Some(mut client) = of.filter(|of| of.secret == client.secret) else {
                return (None, Vec::new(), None);
            };
            client.list(id, now, ends);
            (Some(client.clone()), vec![event.clone()], Some(client))
        })
        .await?;
        let Some(client) = client else { return Ok(None) };
        Ok(Some(Bought { token: self.client_token(&client, id, ends)?, lives: TOKEN_SECS }))
    }

    /// Writes down that a wrong secret was presented, unless that was done within the hour.
    async fn note_refusal(&self, id: &ClientId) -> Result<(), Error> {
        let (now, key) = (self.env.clock.now().secs(), self.client_key(id.as_str()));
        let event = self.client_event(id, ClientChange::Refused)?;
        records::change(&*self.store, &self.env, key, None, |of: Option<Client>| {
            let is_due = |of: &Client| {
                // A clock that was ahead keeps it silent for an hour at most.
                of.last_refusal.is_none_or(|last| now.abs_diff(last) >= REFUSALS_APART_SECS)
            };
            let Some(mut client) = of.filter(is_due) else { return (None, Vec::new(), ()) };
            client.last_refusal = Some(now);
            (Some(client), vec![event.clone()], ())
        })
        .await
    }

    /// Ends one token of a client at its next request. False: there is no such token.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn revoke_token(&self, client: &ClientId, token: TokenId) -> Result<bool, Error> {
        let key = self.client_key(client.as_str());
        let event = self.client_event(client, ClientChange::TokenRevoked)?;
        records::change(&*self.store, &self.env, key, None, |of: Option<Client>| {
            let listed = |of: &Client| of.tokens.iter().any(|live| live.id == token);
            let Some(mut client) = of.filter(listed) else { return (None, Vec::new(), false) };
            client.tokens.retain(|live| live.id != token);
            (Some(client), vec![event.clone()], true)
        })
        .await
    }

    /// A token for whoever holds the keys of this vault, under a client without a secret, which is
    /// made where it is not there yet. None: there are too many clients.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn operator_token(&self, id: &ClientId, lives: u64) -> Result<Option<String>, Error> {
        if !self.list_client(id).await? {
            return Ok(None);
        }
        let (now, key) = (self.env.clock.now(), self.client_key(id.as_str()));
        let (bought, ends) = (TokenId(self.env.draw()?), now.saturating_add(lives));
        let event = self.client_event(id, ClientChange::TokenBought)?;
        let client = records::change(&*self.store, &self.env, key, None, |of: Option<Client>| {
            let mut client = of.unwrap_or_else(|| Client {
                id: id.clone(),
                name: String::new(),
                powers: Powers::all(),
                tenant: None,
                epoch: 0,
                created: now,
                last_token: None,
                tokens: Vec::new(),
                last_refusal: None,
                secret: None,
            });
            client.list(bought, now, ends);
            (Some(client.clone()), vec![event.clone()], client)
        })
        .await?;
        self.client_token(&client, bought, ends).map(Some)
    }

    /// Who presents this token, if it is one, has not ended, and its client was not revoked since.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn vendor(&self, token: &str) -> Result<Option<VendorClaims>, Error> {
        let context = [self.settings.realm.as_str().as_bytes()];
        let opened = Token::<VendorKind>::open(&*self.env.vault, &context, token);
        let Ok(claims) = opened else { return Ok(None) };
        if self.env.clock.now() >= claims.ends {
            return Ok(None);
        }
        let client = self.client(claims.client.as_str()).await?;
        Ok(client.filter(|client| client.honours(&claims)).map(|_| claims))
    }

    fn client_token(&self, client: &Client, id: TokenId, ends: UnixTime) -> Result<String, Error> {
        let claims = VendorClaims {
            client: client.id.clone(),
            epoch: client.epoch,
            id,
            powers: client.powers.clone(),
            tenant: client.tenant.clone(),
            ends,
        };
        let context = [self.settings.realm.as_str().as_bytes()];
        let (vault, nonce) = (&*self.env.vault, self.env.draw()?);
        let token = Token::<VendorKind>::seal(vault, &context, nonce, &claims);
        token.map(Token::into_string).map_err(|_| Error::Token)
    }

    /// Lists a client. False: there are too many.
    async fn list_client(&self, id: &ClientId) -> Result<bool, Error> {
        let key = Names(&*self.env.vault).clients(&self.settings.realm);
        records::change(&*self.store, &self.env, key, None, |list: Option<Clients>| {
            let mut list = list.unwrap_or_default();
            if list.0.contains(id) {
                return (None, Vec::new(), true);
            }
            if list.0.len() >= CLIENTS {
                return (None, Vec::new(), false);
            }
            list.0.push(id.clone());
            (Some(list), Vec::new(), true)
        })
        .await
    }

    async fn client(&self, id: &str) -> Result<Option<Client>, Error> {
        Ok(records::look(&*self.store, &self.env, self.client_key(id)).await?.value)
    }

    fn client_key(&self, id: &str) -> Key {
        Names(&*self.env.vault).client(&self.settings.realm, id)
    }

    fn client_event(&self, client: &ClientId, change: ClientChange) -> Result<EventRow, Error> {
        let audit = Audit {
            id: Id(self.env.draw()?),
            at: self.env.clock.now(),
            node: self.env.node.to_string(),
            user: None,
            tenant: None,
            login: None,
            by: By::Anybody,
            what: What::Client { client: client.clone(), change },
        };
        Ok(codec::seal_event(&*self.env.vault, self.env.draw()?, &audit)?)
    }
}
