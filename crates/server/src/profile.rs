//! What each compliance profile asks, and how a configuration answers: what `countersign doctor` prints, and what keeps
//! a configuration that contradicts its profile from being loaded.

use countersign_ceremony::policy::profile::{Profile, Requirement};

use crate::config::{Config, ConfigError};
use crate::node;

/// Every profile that asks for more than the rules.
pub const STRICT: [Profile; 3] = [AsvsL2, AsvsL3, NistAal2];

/// One thing that a standard asks.
#[derive(Debug)]
pub struct Asked {
    /// Where, by profile.
    sections: &'static [(Profile, &'static str)],
    /// What.
    pub says: &'static str,
    how: How,
}

/// How it is answered.
#[derive(Debug)]
enum How {
    /// By what the configuration says.
    Judged(fn(&Config) -> Result<String, ConfigError>),
    /// By construction: no configuration does otherwise.
    Built(&'static str),
    /// By whoever operates it.
    Yours(&'static str),
}

/// The answer.
#[derive(Debug)]
pub enum Answer {
    /// The configuration meets it.
    Met(String),
    /// It cannot be otherwise.
    Built(&'static str),
    /// The operator's to see to.
    Yours(&'static str),
    /// The configuration contradicts it.
    Unmet(ConfigError),
}

impl Answer {
    /// One word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Met(_) => "met",
            Self::Built(_) => "built in",
            Self::Yours(_) => "yours",
            Self::Unmet(_) => "NOT MET",
        }
    }
}

/// One requirement of a profile, answered.
#[derive(Debug)]
pub struct Finding {
    /// The standard and its section.
    pub section: &'static str,
    /// What it asks.
    pub says: &'static str,
    /// How it is answered.
    pub answer: Answer,
}

/// All that a profile asks, in the order of its standard; what tenants decide first.
#[must_use]
pub fn findings(profile: Profile, config: &Config) -> Vec<Finding> {
    let of_policies = Requirement::ALL.into_iter().filter_map(|requirement| {
        let section = requirement.section(profile)?;
        let answer = match of_tenants(profile, requirement, config) {
            Ok(how) => Answer::Met(how),
            Err(error) => Answer::Unmet(error),
        };
        Some(Finding { section, says: requirement.says(), answer })
    });
    let others = ASKED.iter().filter_map(|asked| {
        let (_, section) = asked.sections.iter().find(|(of, _)| *of == profile)?;
        let answer = match asked.how {
            How::Judged(judge) => match judge(config) {
                Ok(how) => Answer::Met(how),
                Err(error) => Answer::Unmet(error.under(section)),
            },
            How::Built(how) => Answer::Built(how),
            How::Yours(how) => Answer::Yours(how),
        };
        Some(Finding { section, says: asked.says, answer })
    });
    of_policies.chain(others).collect()
}

/// Refuses a configuration that contradicts its profile.
///
/// # Errors
/// [`ConfigError`]: the first contradiction, with the requirement, the key and how to mend it.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    findings(config.profile, config).into_iter().try_for_each(|finding| match finding.answer {
        Answer::Unmet(error) => Err(error),
        _ => Ok(()),
    })
}

/// What the configuration says of each tenant's policy.
fn of_tenants(
    profile: Profile,
    requirement: Requirement,
    config: &Config,
) -> Result<String, ConfigError> {
    for (index, tenant) in config.tenants.iter().enumerate() {
        // What is no policy at all is refused when the node comes up, with its own reason.
        let Ok(policy) = node::policy(tenant, config) else { continue };
        let Some(found) =
            profile.contradictions(&policy).find(|found| found.requirement == requirement)
        else {
            continue;
        };
        let key = match requirement {
            Requirement::Enforced => "enforce",
            Requirement::NothingRemembered => "allow_remember",
            _ => "strategies",
        };
        let place = format!("tenants[{index}].{key}");
        return Err(ConfigError::new(place, found.to_string(), requirement.mend()));
    }
    Ok("of every tenant; a policy that is changed at run time is held within the profile".into())
}

/// Clients come by TLS, or from this machine.
fn tls(config: &Config) -> Result<String, ConfigError> {
    let host = config.base_url.split_once("://").map_or("", |(_, host)| host);
    let here = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.starts_with(name));
    if config.allow_plain_http {
        return Err(ConfigError::new(
            "allow_plain_http",
            "passwords and codes would cross a network in the clear",
            "leave it out, and end TLS in a proxy that is named in `trusted_proxies`",
        ));
    }
    if config.is_tls() || here {
        return Ok(format!("base_url is {}", config.base_url));
    }
    Err(ConfigError::new(
        "base_url",
        format!("clients would come by {}, without TLS", config.base_url),
        "set it to the https URL that clients use",
    ))
}

use Profile::{AsvsL2, AsvsL3, NistAal2};

const ASKED: &[Asked] = &[
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 12.2.1"),
            (AsvsL3, "ASVS 5.0, 12.2.1"),
            (NistAal2, "NIST SP 800-63B-4, 2.2.2"),
        ],
        says: "clients come by a protected channel",
        how: How::Judged(tls),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 6.3.1"),
            (AsvsL3, "ASVS 5.0, 6.3.1"),
            (NistAal2, "NIST SP 800-63B-4, 3.2.2"),
        ],
        says: "guessing is bounded for each user and factor",
        how: How::Built(
            "one ledger for all factors, routes and nodes: a chance of at most 1e-4 for each refill, 10 failures in 15 \
             minutes, 100 in a row for one authenticator",
        ),
    },
    Asked {
        sections: &[(AsvsL2, "ASVS 5.0, 6.1.1"), (AsvsL3, "ASVS 5.0, 6.1.1")],
        says: "limits are documented, and nobody locks the owner out by them",
        how: How::Built("docs/http.md; a known browser has a share of its own"),
    },
    Asked {
        sections: &[(AsvsL2, "ASVS 5.0, 6.3.4"), (AsvsL3, "ASVS 5.0, 6.3.4")],
        says: "every way in is as strong as the others",
        how: How::Built("tokens are minted from an assertion alone, and decide alone makes one"),
    },
    Asked {
        sections: &[(AsvsL3, "ASVS 5.0, 6.3.7"), (NistAal2, "NIST SP 800-63B-4, 4.6")],
        says: "people are told when their factors change",
        how: How::Built(
            "a mail to each proven address, about what was added, removed or recovered",
        ),
    },
    Asked {
        sections: &[(AsvsL3, "ASVS 5.0, 6.3.8")],
        says: "nobody learns who has an account",
        how: How::Built("before a first factor there is one status, one body and one cost"),
    },
    Asked {
        sections: &[(AsvsL2, "ASVS 5.0, 6.4.3"), (AsvsL3, "ASVS 5.0, 6.4.3")],
        says: "a reset of the password goes around no factor",
        how: How::Built("it refills nothing, and its mailbox is no second factor for 24 hours"),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 6.5.1"),
            (AsvsL3, "ASVS 5.0, 6.5.1"),
            (NistAal2, "NIST SP 800-63B-4, 3.1.4.2"),
        ],
        says: "a code is accepted once",
        how: How::Built("the step is spent in the commit that accepts it"),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 6.5.2"),
            (AsvsL3, "ASVS 5.0, 6.5.2"),
            (NistAal2, "NIST SP 800-63B-4, 3.1.2.2"),
        ],
        says: "recovery codes are stored as hashes of a password are",
        how: How::Built("80 bits each, Argon2id with a pepper, used once"),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 6.5.3"),
            (AsvsL3, "ASVS 5.0, 6.5.3"),
            (NistAal2, "NIST SP 800-63B-4, 3.1.4.1"),
        ],
        says: "secrets are random, and long enough",
        how: How::Built(
            "the system's generator; 160 bits and more for apps, 128 bits at least where imported",
        ),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 6.5.5"),
            (AsvsL3, "ASVS 5.0, 6.5.5"),
            (NistAal2, "NIST SP 800-63B-4, 3.1.3.2"),
        ],
        says: "codes are short-lived",
        how: How::Built(
            "delivered ones 10 minutes at most; of an app the present step alone, the drift of its clock allowed for",
        ),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 6.6.2"),
            (AsvsL3, "ASVS 5.0, 6.6.2"),
            (NistAal2, "NIST SP 800-63B-4, 3.1.3.2"),
        ],
        says: "a delivered code belongs to the login that asked for it",
        how: How::Built(
            "its digest is bound to login, destination and purpose; each login is bound to its client",
        ),
    },
    Asked {
        sections: &[(AsvsL3, "ASVS 5.0, 6.5.6"), (NistAal2, "NIST SP 800-63B-4, 4.5")],
        says: "every factor can be revoked at once",
        how: How::Built("by its owner and by an administrator; the epoch ends what it let in"),
    },
    Asked {
        sections: &[(NistAal2, "NIST SP 800-63B-4, 2.2.3")],
        says: "a session ends after 24 hours, and after an hour without use",
        how: How::Built("the profile sets both"),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 7.5.1"),
            (AsvsL3, "ASVS 5.0, 7.5.1"),
            (NistAal2, "NIST SP 800-63B-4, 4.1.2"),
        ],
        says: "factors change after a fresh proof alone",
        how: How::Built("five minutes old at most, by a factor that stays"),
    },
    Asked {
        sections: &[(NistAal2, "NIST SP 800-63B-4, 4.2.2")],
        says: "a recovery takes two proofs",
        how: How::Built("a recovery code, then the password in the browser that recovered"),
    },
    Asked {
        sections: &[(NistAal2, "NIST SP 800-63B-4, 5.1")],
        says: "session secrets are random, narrow and sent over TLS alone",
        how: How::Built("256 bits; cookies are HttpOnly, and Secure where TLS is"),
    },
    Asked {
        sections: &[(AsvsL2, "ASVS 5.0, 16.3.1"), (AsvsL3, "ASVS 5.0, 16.3.1")],
        says: "every decision is written down, without secrets",
        how: How::Built("an event in the same commit; `countersign events` reads them"),
    },
    Asked {
        sections: &[(AsvsL2, "ASVS 5.0, 16.5.3"), (AsvsL3, "ASVS 5.0, 16.5.3")],
        says: "what fails, fails closed",
        how: How::Built("without a commit there is no answer but 503"),
    },
    Asked {
        sections: &[
            (AsvsL2, "ASVS 5.0, 13.3.1"),
            (AsvsL3, "ASVS 5.0, 13.3.1"),
            (NistAal2, "NIST SP 800-63B-4, 3.1.4.2"),
        ],
        says: "keys are kept apart from what they seal",
        how: How::Yours(
            "keep the key ring elsewhere than backups of the database, or wrap it by `kms`",
        ),
    },
    Asked {
        sections: &[(AsvsL3, "ASVS 5.0, 6.3.3")],
        says: "people use the factor that resists phishing",
        how: How::Yours(
            "apps may be taken beside passkeys: leave \"AuthenticatorApp\" out to take none",
        ),
    },
    Asked {
        sections: &[(NistAal2, "NIST SP 800-63B-4, 3.1.1")],
        says: "passwords are long, and none that is known from breaches",
        how: How::Yours("this directory checks neither: see to both where passwords are set"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn config(profile: &str, more: &str, tenant: &str) -> Result<Config, ConfigError> {
        let text = format!(
            "profile = '{profile}'\ndata = 'd'\nclient_id = 'c'\noutbox = 'o'\nbase_url = 'https://id.example.com'\n\
             {more}\n[[tenants]]\nid = 'acme'\n{tenant}"
        );
        Config::parse("t", &text, [])
    }

    const PASSKEYS: &str = "strategies = ['WebAuthnPlatform', 'AuthenticatorApp']";

    #[test]
    fn a_configuration_that_holds_is_loaded() {
        for profile in ["Compatible", "AsvsL2"] {
            assert!(config(profile, "", "strategies = ['AuthenticatorApp', 'EmailCode']").is_ok());
        }
        for profile in ["AsvsL3", "NistAal2"] {
            config(profile, "", PASSKEYS).unwrap();
        }
        assert!(config("Strict", "", "").is_err(), "an unknown profile is no silent default");
    }

    #[test]
    fn a_contradiction_is_refused_by_its_requirement_and_key() {
        for (profile, more, tenant, key, section) in [
            (
                "NistAal2",
                "",
                "strategies = ['WebAuthnPlatform', 'EmailCode']",
                "tenants[0].strategies",
                "3.1.3.1",
            ),
            (
                "AsvsL3",
                "",
                "strategies = ['WebAuthnPlatform', 'EmailCode']",
                "tenants[0].strategies",
                "6.3.6",
            ),
            (
                "AsvsL3",
                "",
                "strategies = ['WebAuthnPlatform', 'SMS']",
                "tenants[0].strategies",
                "6.6.1",
            ),
            ("AsvsL2", "", "strategies = ['SMS']", "tenants[0].strategies", "6.6.1"),
            ("NistAal2", "", "strategies = ['AuthenticatorApp']", "tenants[0].strategies", "2.2.2"),
            ("AsvsL2", "", "enforce = 'DontForce'", "tenants[0].enforce", "6.3.3"),
            (
                "NistAal2",
                "",
                "strategies = ['WebAuthnPlatform']\nallow_remember = true",
                "tenants[0].allow_remember",
                "5.1",
            ),
            ("AsvsL2", "allow_plain_http = true", "", "allow_plain_http", "12.2.1"),
        ] {
            let error = config(profile, more, tenant).unwrap_err();
            assert_eq!(error.place(), key, "{error}");
            let said = error.to_string();
            assert!(said.contains(section) && said.contains("to mend it"), "{section}: {said}");
        }
    }

    #[test]
    fn each_profile_is_answered_in_full() {
        for profile in STRICT {
            let config = config(profile.name(), "", PASSKEYS).unwrap();
            let findings = findings(profile, &config);
            assert!(findings.len() > 12, "{profile:?} has {}", findings.len());
            assert!(!findings.iter().any(|finding| matches!(finding.answer, Answer::Unmet(_))));
            let standard = if profile == NistAal2 { "NIST" } else { "ASVS" };
            assert!(findings.iter().all(|finding| finding.section.starts_with(standard)));
        }
    }
}
