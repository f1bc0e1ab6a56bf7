//! Origins with TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use engraft_harness::client::{self, Request};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::server::{GREETING, Server, Tested};

/// Somebody who signs certificates, and one of theirs.
struct Signed {
    /// As PEM.
    ca: String,
    config: ServerConfig,
}

fn signed(alpn: &[&[u8]]) -> Result<Signed, Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &ca)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Signed { ca: ca.pem(), config })
}

/// Ends TLS in front of `origin`, on a thread that ends with the process.
fn terminate(config: ServerConfig, origin: SocketAddr) -> Result<SocketAddr, Box<dyn std::error::Error>> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let addr = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut visitor = acceptor.accept(stream).await?;
                    let mut origin = TcpStream::connect(origin).await?;
                    tokio::io::copy_bidirectional(&mut visitor, &mut origin).await
                });
            }
            #[expect(unreachable_code, reason = "the type of the loop's errors")]
            Ok::<(), std::io::Error>(())
        })
    });
    Ok(addr)
}

#[test]
fn an_origin_with_a_certificate_of_ones_own_is_asked_over_either_version() -> Tested {
    for (alpn, protocol) in [(&[][..], Protocol::Http1), (&[b"h2".as_slice()][..], Protocol::Http2)] {
        let Signed { ca, config } = signed(alpn)?;
        let origin = Origin::start()?;
        let reply = Reply::html("<h1>Hi</h1>");
        let is_first = protocol == Protocol::Http1;
        origin.reply("/p", if is_first { reply } else { reply.trailer("x-sum", "1") });
        let url = format!("https://localhost:{}", terminate(config, origin.addr())?.port());
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, ca)?;
        let file = file.to_str().ok_or("a name that is not UTF-8")?;
        let server = Server::with(GREETING, ["--origin", &url, "--origin-ca", file])?;
        let received = server.fetch(&Request::get("/p").header("cookie", "first_name=Ada"))?;
        assert_eq!(received.text(), "<h1>Hello Ada</h1>", "{protocol:?}");
        // A body of a known length may have trailers too.
        let passed = client::fetch(Protocol::Http2, server.addr, &Request::get("/p"))?;
        assert_eq!((passed.text().as_ref(), passed.complete), ("<h1>Hi</h1>", true));
        assert_eq!(passed.trailers.has("x-sum"), !is_first);
        assert_eq!((&server.line()?["end"], &server.line()?["end"]), (&"whole".into(), &"whole".into()));
        let requests = origin.take_requests();
        let request = requests.first().ok_or("no request")?;
        assert_eq!((request.protocol, format!("https://{}", request.authority)), (protocol, url));
    }
    Ok(())
}

#[test]
fn a_certificate_that_nobody_knows_is_not_trusted() -> Tested {
    let origin = Origin::start()?;
    let url = format!("https://localhost:{}", terminate(signed(&[])?.config, origin.addr())?.port());
    let server = Server::with(GREETING, ["--origin", &url])?;
    let received = server.get("/p")?;
    assert_eq!(received.status, 502);
    assert!(received.text().contains("--origin-ca"), "{}", received.text());
    assert!(origin.requests().is_empty());
    Ok(())
}
