//! Configurations: a route or two of everything that decides what a cache may keep. Many are refused, which is the point of the rest.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// Attributes that are in the URL, in a header, in a cookie, one that no key can hold, and what is decided about visitors.
const ATTRIBUTES: [&str; 11] = [
    "country",
    "plan",
    "lang",
    "device",
    "slug",
    "q",
    "name",
    "variants.hero",
    "flags.nav",
    "flags.same",
    "id",
];

/// A document without its `stage`.
pub(crate) fn config(random: &mut Random) -> Value {
    let mut routes = Vec::new();
    if random.percent(15) {
        routes.push(json!({ "name": "beta", "match": { "headers": { "x-beta": { "exact": "1" } } }, "cache": cache(random), "patches": patches(random) }));
    }
    let mut route = json!({ "name": "all", "cache": cache(random), "patches": patches(random) });
    let declared: Vec<Value> = [
        json!({ "cookie": "theme", "any_value": true }),
        json!({ "cookie": "plan", "values": ["pro", "free"], "otherwise": "free" }),
        json!({ "header": "x-geo", "values": ["us", "de"], "otherwise": "other" }),
        json!({ "header": "x-variant", "any_value": true }),
        json!({ "header": "x-hero", "values": ["a", "b"], "otherwise": "a" }),
        json!({ "header": "x-odd", "any_value": true }),
    ]
    .into_iter()
    .filter(|_| random.percent(15))
    .collect();
    if let Some(fields) = route.as_object_mut() {
        fields.insert("origin_reads".to_owned(), json!(declared));
    }
    routes.push(route);
    json!({
        "version": 1,
        "visitor": {
            "id": { "cookie": "uid" },
            "bots": random.pick(&["control", "skip", "treat_as_visitor"]),
        },
        "experiments": { "hero": { "variations": ["a", "b"], "condition": { "plan": { "$ne": "none" } } } },
        "features": {
            "nav": { "defaultValue": "old", "rules": [{ "condition": { "country": "us" }, "force": "new" }, { "variations": ["old", "new"] }] },
            "same": { "defaultValue": "same" },
        },
        "force": { "parameter": "force", "secret": SECRET },
        "attributes": {
            "country": { "header": "x-geo", "trusted": true, "values": ["us", "de"], "otherwise": "other" },
            "plan": { "cookie": "plan", "values": ["free", "pro"], "otherwise": "free" },
            "lang": { "language": ["en", "de"], "otherwise": "en" },
            "device": { "user_agent": "device" },
            "slug": { "path_segment": 1 },
            "q": { "query": "q" },
            "name": { "cookie": "name" },
        },
        "routes": routes,
    })
}

/// What whoever chooses what they see has to show.
pub(crate) const SECRET: &str = "0123456789abcdef";

fn cache(random: &mut Random) -> Value {
    let mut cache = Map::new();
    let mut put = |chance: usize, name: &str, value: Value, random: &mut Random| {
        if random.percent(chance) {
            cache.insert(name.to_owned(), value);
        }
    };
    let (store, browser, cdn) = (store(random), browser(random), cdn(random));
    put(65, "store", store, random);
    put(50, "browser", browser, random);
    put(55, "cdn", cdn, random);
    let mode = random.pick(&[&json!("override"), &json!("respect_origin"), &json!("at_most")]).clone();
    put(50, "mode", mode, random);
    let query = random
        .pick(&[
            &json!({ "keep": ["q"] }),
            &json!({ "drop": ["tracking"], "sort": true }),
            &json!({ "keep": [] }),
        ])
        .clone();
    put(50, "query", query, random);
    let headers = random
        .pick(&[&json!({ "accept_language": ["en", "de"] }), &json!({ "user_agent": "device" })])
        .clone();
    put(25, "headers", headers, random);
    put(40, "droppable_cookies", json!(["seen"]), random);
    put(40, "tags", json!(["page", "p-{{ slug }}"]), random);
    let dialect = random.pick(&[&json!(["cloudfront"]), &json!(["rfc9213"])]).clone();
    put(30, "cdn_dialects", dialect, random);
    let rule = match random.below(3) {
        0 => json!({ "cookies": ["session"], "browser": "private", "cdn": "private" }),
        1 => json!({ "cookies": ["session"], "cdn": "no_store" }),
        _ => {
            json!({ "content_types": ["text/html"], "store": { "max_age": "5m" }, "cdn": { "max_age": "5m" } })
        }
    };
    put(25, "rules", json!([rule]), random);
    Value::Object(cache)
}

fn store(random: &mut Random) -> Value {
    random
        .pick(&[
            &json!({ "max_age": "1h" }),
            &json!({ "max_age": "0s" }),
            &json!({ "public": true, "s_maxage": "1h" }),
            &json!("no_store"),
        ])
        .clone()
}

fn browser(random: &mut Random) -> Value {
    random
        .pick(&[
            &json!({ "max_age": "1m" }),
            &json!({ "max_age": "0s", "must_revalidate": true }),
            &json!({ "public": true, "max_age": "1m" }),
            &json!("private"),
            &json!({ "no_cache": true }),
        ])
        .clone()
}

fn cdn(random: &mut Random) -> Value {
    random
        .pick(&[
            &json!({ "max_age": "5m" }),
            &json!({ "max_age": "5m", "key": ["x-geo"] }),
            &json!({ "max_age": "5m", "key": ["x-geo", "accept-language"] }),
            &json!({ "max_age": "5m", "key": ["user-agent", "sec-ch-ua-mobile", "sec-ch-ua-platform"] }),
            &json!({ "no_cache": true }),
            &json!("private"),
        ])
        .clone()
}

fn patches(random: &mut Random) -> Vec<Value> {
    (0..random.below(4)).map(|_| patch(random)).collect()
}

fn patch(random: &mut Random) -> Value {
    let read = random.pick(&ATTRIBUTES);
    let text = if random.percent(50) { format!("[{{{{ {read} }}}}]") } else { "[same]".to_owned() };
    let select = random.pick(&["#a", "#b", "#c", "#d", "h1", "p", "p.k", ".k", "title"]);
    let mut patch = match random.below(13) {
        0..=4 => json!({ "select": select, "text": text }),
        5 => json!({ "select": select, "append": text, "all": random.percent(50) }),
        6 => json!({ "select": select, "attributes": { "set": { "data-x": text } } }),
        7 => json!({ "title": text }),
        8 => json!({ "response_headers": { "set": { "x-shown": text } } }),
        9 => json!({ "request_headers": { "set": { "x-variant": text } } }),
        10 => json!({ "rewrite": { "path": "/p/b" } }),
        11 => json!({ "request_headers": { "set": { "x-hero": "{{ variants.hero }}" } } }),
        _ => json!({ "redirect": { "to": "/p/elsewhere" } }),
    };
    let conditional = random.percent(40) || patch.get("redirect").is_some();
    if let Some(fields) = patch.as_object_mut().filter(|_| conditional) {
        let (name, value) = random.pick(&[
            &("country", "us"),
            &("plan", "pro"),
            &("lang", "de"),
            &("q", "1"),
            &("slug", "a"),
            &("device", "mobile"),
            &("variants.hero", "b"),
            &("flags.nav", "new"),
            &("flags.same", "same"),
        ]);
        let mut guard = |prefix: &str| name.strip_prefix(prefix).filter(|_| random.percent(70));
        let (field, key) = match (guard("variants."), name.strip_prefix("flags.")) {
            (Some(key), _) => ("variant", key),
            (None, Some(key)) => ("flag", key),
            (None, None) => ("when", *name),
        };
        fields.insert(field.to_owned(), json!({ key: value }));
    }
    patch
}
