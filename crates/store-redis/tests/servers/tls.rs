//! TLS to the database (RFC 8446): by the authority that is named, to the host that is named, or not at all.

use std::path::Path;

use countersign_ceremony::port::{Outbox, Settled, Store, Version};
use countersign_store_redis::{Config, OpenError, RedisStore};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::machines::{Server, free_port, installed};
use super::support::{block_on, key, write};

/// An authority, and a certificate of its for a name, in files of a directory.
fn certified(directory: &Path, name: &str) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap();
    let texts = [
        ("ca.pem", issuer.pem()),
        ("own.pem", certificate.pem()),
        ("own.key", own.serialize_pem()),
    ];
    for (file, text) in texts {
        std::fs::write(directory.join(file), text).unwrap();
    }
}

async fn open(url: &str) -> Result<RedisStore, OpenError> {
    RedisStore::open(&Config::parse(url)?, Outbox::default()).await
}

#[test]
fn the_way_is_secured_by_the_named_authority_and_to_the_named_host_alone() {
    let test = "the_way_is_secured_by_the_named_authority_and_to_the_named_host_alone";
    if !installed(test) {
        return;
    }
    let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certified(ours.path(), "localhost");
    certified(others.path(), "localhost");
    let named = |directory: &Path, name: &str| directory.join(name).display().to_string();
    let (port, own) = (free_port(), ours.path());
    let server = Server::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &named(own, "own.pem"),
        "--tls-key-file",
        &named(own, "own.key"),
        "--tls-ca-cert-file",
        &named(own, "ca.pem"),
    ]);
    let url = |host: &str, port: u16, directory: &Path| {
        format!("rediss://{host}:{port}?cacert={}", named(directory, "ca.pem"))
    };
    block_on(async {
        let store = open(&url("localhost", port, own)).await.unwrap();
        let settled = store.settle(write(key(1), Version::ABSENT)).await.unwrap();
        assert_eq!(settled, Settled::Won);
        let refused = [
            ("another authority's", url("localhost", port, others.path())),
            ("another host's", url("127.0.0.1", port, own)),
            ("a port in the clear", url("localhost", server.port, own)),
        ];
        for (why, url) in refused {
            assert!(open(&url).await.is_err(), "{why}");
        }
    });
}
