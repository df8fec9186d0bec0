//! TLS to the database (RFC 8446): by the authority that is named, to the host that is named, or not at all.

use countersign_ceremony::port::{Outbox, Settled, Store, Version};
use countersign_store_postgres::{Address, OpenError, PostgresStore};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::support::{Postgres, settle};

/// An authority of certificates, and its own in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("an authority.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    /// What follows a URL, percent-encoded as an operator has to.
    fn named(&self) -> String {
        let file = self.directory.path().join("an authority.pem");
        format!("sslrootcert={}", file.display().to_string().replace(' ', "%20"))
    }

    /// A certificate for a name, and its key, both in PEM.
    fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

async fn open(url: &str) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(Address::parse(url).unwrap(), Outbox::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_is_secured_by_the_named_authority_and_to_the_named_host_alone() {
    let test = "the_way_is_secured_by_the_named_authority_and_to_the_named_host_alone";
    let Some(mut server) = Postgres::start(test) else { return };
    let (ours, others) = (Authority::new(), Authority::new());
    let port = server.port;
    let url = |host: &str, options: &str| {
        format!("postgres://postgres@{host}:{port}/postgres?sslmode=require&{options}")
    };

    // A server without TLS is not spoken to in the clear where TLS is wanted.
    assert!(open(&url("localhost", &ours.named())).await.is_err(), "it has no TLS");

    let (certificate, key) = ours.certify("localhost");
    server.with_certificate(&certificate, &key);
    let store = open(&url("localhost", &ours.named())).await.unwrap();
    let settled = store.settle(settle(1, Version::ABSENT, 1)).await.unwrap();
    assert_eq!(settled, Settled::Won);
    let plain = "SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_stat_ssl s USING (pid) \
                 WHERE a.application_name = 'countersign' AND s.ssl IS NOT TRUE";
    assert_eq!(server.sql(plain), "0", "every connection of ours is by TLS");
    let secured = "SELECT count(*) > 0 FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) \
                   WHERE a.application_name = 'countersign' AND s.ssl";
    assert_eq!(server.sql(secured), "t");

    assert!(open(&url("localhost", &others.named())).await.is_err(), "another authority's");
    assert!(open(&url("127.0.0.1", &ours.named())).await.is_err(), "another host's");
    let nowhere = open(&url("localhost", "sslrootcert=/nowhere/ca.pem")).await.unwrap_err();
    assert!(nowhere.to_string().contains("/nowhere/ca.pem"), "{nowhere}");
}
