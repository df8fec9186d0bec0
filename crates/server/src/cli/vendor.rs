//! `countersign vendor`: the services that may manage, each with a secret and powers of its own.

use clap::{Subcommand, ValueEnum};
use countersign_ceremony::vendor::{CLIENTS, Client, LiveToken, Power, Powers, TokenId};
use countersign_device::{ClientId, TenantId};
use serde_json::json;

use super::data::Data;
use super::{Failure, block_on, print};

/// Manage the services that may call the management routes. The server may be running.
#[derive(Debug, Subcommand)]
pub(super) enum Vendor {
    /// Add a service. Its client id and secret are printed this once; `POST /auth/vendor` trades
    /// them for a token of a day.
    New {
        #[command(flatten)]
        data: Data,
        /// What you call it.
        #[arg(long, value_name = "NAME", default_value = "")]
        name: String,
        /// What it may do; all of it, where nothing is named. Give it several times or with commas.
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<Scope>,
        /// The one tenant that it may act on.
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
    },
    /// Print the services as JSON lines, the oldest first. No secret is among it.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// End all tokens of a service at their next request, and its secret.
    Revoke {
        #[command(flatten)]
        data: Data,
        /// The client id.
        #[arg(value_name = "CLIENT")]
        client: String,
        /// Keep the secret: it buys new tokens.
        #[arg(long)]
        tokens_only: bool,
        /// End this one token alone, by its id in the list.
        #[arg(long, value_name = "ID", conflicts_with = "tokens_only")]
        token: Option<TokenId>,
    },
}

/// What a service may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Scope {
    /// Read policies and users' devices; every other scope includes it.
    Read,
    /// Change policies.
    Policy,
    /// Report what happened to users, and manage their factors.
    Users,
    /// Open logins for users whose first factor the service has checked.
    Logins,
}

impl Vendor {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::New { data, name, scope, tenant } => new(&data, &name, &scope, tenant.as_deref()),
            Self::List { data } => list(&data),
            Self::Revoke { data, client, tokens_only, token } => {
                revoke(&data, &client, tokens_only, token)
            }
        }
    }
}

fn new(data: &Data, name: &str, scope: &[Scope], tenant: Option<&str>) -> Result<(), Failure> {
    if name.len() > 64 || name.chars().any(char::is_control) {
        return Err(Failure::new("--name: one line of at most 64 bytes"));
    }
    let tenant = tenant.map(TenantId::parse).transpose();
    let tenant = tenant.map_err(|error| Failure::new(format!("--tenant: {error}")))?;
    let powers = match scope {
        [] => Powers::all(),
        named => named.iter().map(|scope| scope.power()).collect(),
    };
    let added =
        block_on(async { Ok(data.engine().await?.add_client(name, powers, tenant).await?) })?;
    let added = added.ok_or_else(too_many)?;
    print(&format!("client {}\nsecret {}\n", added.client, *added.secret))
}

fn list(data: &Data) -> Result<(), Failure> {
    let clients = block_on(async { Ok(data.engine().await?.clients().await?) })?;
    print(&clients.iter().map(|client| format!("{}\n", line(client))).collect::<String>())
}

fn revoke(
    data: &Data,
    client: &str,
    tokens_only: bool,
    token: Option<TokenId>,
) -> Result<(), Failure> {
    let id = ClientId::parse(client).map_err(|error| Failure::new(format!("CLIENT: {error}")))?;
    if let Some(token) = token {
        if !block_on(async { Ok(data.engine().await?.revoke_token(&id, token).await?) })? {
            return Err(Failure::new(format!("{client} has no token {token}; see vendor list")));
        }
        return Ok(());
    }
    if !block_on(async { Ok(data.engine().await?.revoke_client(&id, !tokens_only).await?) })? {
        return Err(Failure::new(format!("{client}: there is no such client; see vendor list")));
    }
    Ok(())
}

fn line(client: &Client) -> serde_json::Value {
    json!({
        "client": client.id.as_str(),
        "name": client.name,
        "scopes": client.powers.iter().map(Power::name).collect::<Vec<_>>(),
        "tenant": client.tenant.as_ref().map(TenantId::as_str),
        "created": client.created.secs(),
        "lastToken": client.last_token,
        "tokens": client.tokens.iter().map(token).collect::<Vec<_>>(),
        "hasSecret": client.has_a_secret(),
    })
}

fn token(live: &LiveToken) -> serde_json::Value {
    json!({"id": live.id.to_string(), "bought": live.bought.secs(), "ends": live.ends.secs()})
}

pub(super) fn too_many() -> Failure {
    Failure::new(format!("there are {CLIENTS} clients already; that is all there is room for"))
}

impl Scope {
    const fn power(self) -> Power {
        match self {
            Self::Read => Power::Read,
            Self::Policy => Power::Policy,
            Self::Users => Power::Users,
            Self::Logins => Power::Logins,
        }
    }
}
