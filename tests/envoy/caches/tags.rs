//! Tags stay on pages that come from a cache, so that whoever purges by them finds these.

use engraft_harness::client::{self, Request};
use engraft_harness::nginx;
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::Http1;

use super::{envoy, has_nginx};
use crate::stage::Outcome;

const TAGGED: &str = "
version: 1
attributes:
  slug: { path_segment: 1 }
routes:
  - name: product
    match: { path: { prefix: /p/ } }
    cache:
      browser: { max_age: 0s }
      cdn: { max_age: 10m }
      cdn_dialects: [varnish, fastly, cloudflare]
      tags: [product, 'product-{{ slug }}']
";

#[test]
fn a_page_from_a_cache_in_front_has_the_tags_that_it_was_stored_with() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let origin = Origin::start()?;
    origin.otherwise(|request| {
        Reply::html("<p>page").header("xkey", format!("origin-{}", request.path().len()))
    });
    let (_envoy, engraft) = envoy(TAGGED, origin.addr())?;
    let cache = nginx::Cache::new(engraft).start()?;
    for path in ["/p/lamp", "/p/a%20chair"] {
        let slug = path.trim_start_matches("/p/");
        for state in ["MISS", "HIT"] {
            let page = client::fetch(Http1, cache.addr(), &Request::get(path))?;
            assert_eq!(page.header("x-cache"), Some(state), "{path}");
            let ours = |separator: &str| format!("product{separator}product-{slug}");
            let length = path.len();
            assert_eq!(page.headers.all("xkey"), [format!("origin-{length}"), ours(" ")], "{state} {path}");
            assert_eq!(page.headers.all("surrogate-key"), [ours(" ")], "{state} {path}");
            assert_eq!(page.headers.all("cache-tag"), [ours(",")], "{state} {path}");
        }
    }
    assert_eq!(origin.requests().len(), 2);
    Ok(())
}
