//! The arguments of `engraft serve`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use engraft::decide::decrypt::DecryptionKey;
use http::Uri;
use http::uri::{Authority, Scheme};

use crate::args::{Header, Url};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("upstream").required(true))]
pub(crate) struct Serve {
    /// The configuration, read again whenever it is saved
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Where pages come from: https://shop.example, or http://localhost:3000
    #[arg(long, value_name = "URL", group = "upstream", value_parser = origin)]
    pub(crate) origin: Option<Origin>,
    /// Or a folder of files that is served in place of an origin
    #[arg(long, value_name = "DIR", group = "upstream")]
    pub(crate) site: Option<PathBuf>,
    /// Where to listen: a port of this machine, or an address with one; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = listen)]
    pub(crate) listen: SocketAddr,
    /// Let other machines in: needed where --listen is no loopback address
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// What the configuration takes the listener for, so that routes match hosts as in production: https://shop.example
    #[arg(long = "as", value_name = "URL")]
    pub(crate) seen_as: Option<Url>,
    /// A header that the edge would set, as often as needed: added to each request that has none of that name
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,
    /// The payload of a feature service, where the configuration has one fetched; read again whenever it is saved
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<PathBuf>,
    /// The key of an encrypted payload
    #[arg(long, value_name = "KEY", value_parser = crate::decide::args::key)]
    pub(crate) decryption_key: Option<DecryptionKey>,
    /// Certificates to trust for the origin besides the usual ones, as PEM
    #[arg(long, value_name = "FILE", requires = "origin")]
    pub(crate) origin_ca: Option<PathBuf>,
    /// How many seconds the origin may take to begin its answer
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) origin_timeout: Duration,
    /// Send the origin the Host that the browser sent, and leave its redirects and cookies as they are
    #[arg(long, requires = "origin")]
    pub(crate) preserve_host: bool,
    /// Do not have open pages load again when the configuration was saved
    #[arg(long)]
    pub(crate) no_live: bool,
    /// Open the site in a browser
    #[arg(long)]
    pub(crate) open: bool,
    /// How to tell of requests
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log: LogForm,
}

/// How requests are told of, on standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// A line each, for people
    #[default]
    Text,
    /// A JSON object each
    Json,
    /// Not at all
    None,
}

/// The server that pages come from: a scheme, a host and perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

fn origin(text: &str) -> Result<Origin, &'static str> {
    const FORM: &str = "write a scheme and a host: https://shop.example or http://localhost:3000";
    let uri: Uri = text.parse().map_err(|_| FORM)?;
    let has_path = uri.path_and_query().is_some_and(|path| path.as_str() != "/");
    let parts = uri.into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(FORM) };
    if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
        return Err(FORM);
    }
    if authority.as_str().contains('@') {
        return Err("the user name would be sent to nobody; give it as a header: -H 'authorization: …'");
    }
    if has_path {
        return Err("leave the path away: the browser's is asked for; a `rewrite` patch changes it");
    }
    Ok(Origin { scheme, authority })
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    let here = port.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    here.or_else(|_| text.parse())
        .map_err(|_| "write a port, or an address with one: 127.0.0.1:8080, [::1]:8080")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or("write a number of seconds above 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        let shown = |text: &str| origin(text).map(|origin| origin.to_string());
        assert_eq!(shown("https://shop.example"), Ok("https://shop.example".to_owned()));
        assert_eq!(shown("http://[::1]:3000/"), Ok("http://[::1]:3000".to_owned()));
        for text in
            ["shop.example", "/p", "ftp://a", "https://a/p/", "https://a/?q", "https://ada:secret@a", ""]
        {
            assert!(shown(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_port_is_one_of_this_machine() {
        for (text, shown) in [
            ("3000", "127.0.0.1:3000"),
            ("localhost:3000", "127.0.0.1:3000"),
            ("127.0.0.2:0", "127.0.0.2:0"),
            ("[::1]:3000", "[::1]:3000"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            assert_eq!(listen(text).map(|addr| addr.to_string()), Ok(shown.to_owned()));
        }
        for text in ["", "localhost", "127.0.0.1", "shop.example:80", "70000", "-1"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_to_wait_is_above_zero() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "NaN", "inf", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
