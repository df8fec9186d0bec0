//! TLS before a server that speaks in the clear: what it takes goes on to that one (RFC 8446, RFC 3207).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// An authority of certificates, and its own in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// What is said before TLS begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Before {
    /// Nothing: TLS from the first byte.
    Nothing,
    /// A conversation of SMTP, up to STARTTLS.
    StartTls,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    /// The file that whoever trusts it names.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Listens with a certificate for this name, before a server in the clear; the port.
    pub(crate) fn before(&self, server: SocketAddr, name: &str, before: Before) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let (told, port) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap().port()).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    // A client that does not like the certificate hangs up: that is its answer.
                    tokio::spawn(carried(acceptor.clone(), stream, server, before));
                }
            });
        });
        port.recv().unwrap()
    }
}

async fn carried(
    acceptor: TlsAcceptor,
    mut client: TcpStream,
    server: SocketAddr,
    before: Before,
) -> std::io::Result<()> {
    if before == Before::StartTls {
        let mut lines = BufReader::new(&mut client);
        let mut line = String::new();
        lines.get_mut().write_all(b"220 clear\r\n").await?;
        lines.read_line(&mut line).await?;
        assert!(line.starts_with("EHLO "), "{line}");
        lines.get_mut().write_all(b"250-clear\r\n250 STARTTLS\r\n").await?;
        line.clear();
        lines.read_line(&mut line).await?;
        assert_eq!(line, "STARTTLS\r\n");
        lines.get_mut().write_all(b"220 go on\r\n").await?;
    }
    let mut client = acceptor.accept(client).await?;
    let server = TcpStream::connect(server).await?;
    let mut server = BufReader::new(server);
    if before == Before::StartTls {
        // It greets again, and the client knows it already.
        server.read_line(&mut String::new()).await?;
    }
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
