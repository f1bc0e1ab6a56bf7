use std::path::Path;

use serde_json::{Value, json};

use super::set;

/// One of Envoy's own cache filters: what stands between the client stage and the origin stage.
///
/// It stores what its own upstream request brings, so filters that stand after it in the chain never see that request:
/// whoever is to change what is stored is a filter of the [cluster](super::Cluster::filter).
///
/// ```
/// use engraft_harness::bootstrap::{CacheFilter, Listener};
///
/// let _ = Listener::main().filter(CacheFilter::simple().second_version().to_filter());
/// ```
#[derive(Clone, Debug)]
pub struct CacheFilter {
    storage: Storage,
    is_second_version: bool,
    fields: Vec<(String, Value)>,
}

#[derive(Clone, Debug)]
enum Storage {
    Memory,
    Files(Value),
}

impl CacheFilter {
    /// In memory, without a bound, for as long as Envoy runs. All filters of one version share it.
    #[must_use]
    pub const fn simple() -> Self {
        Self { storage: Storage::Memory, is_second_version: false, fields: Vec::new() }
    }

    /// In files of a folder that is there. `.` is Envoy's working directory, and goes away with it.
    #[must_use]
    pub fn file_system(folder: &Path) -> Self {
        let storage = json!({
            "manager_config": { "thread_pool": { "thread_count": 1 } },
            "cache_path": folder.to_string_lossy(),
        });
        Self { storage: Storage::Files(storage), is_second_version: false, fields: Vec::new() }
    }

    /// Makes it `cache_v2`, the later of the two.
    #[must_use]
    pub const fn second_version(mut self) -> Self {
        self.is_second_version = true;
        self
    }

    /// Sets a field of the filter (`ignore_request_cache_control_header`, …).
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    /// The entry for `http_filters`.
    #[must_use]
    pub fn to_filter(&self) -> Value {
        let (filter, message) =
            if self.is_second_version { ("cache_v2", "V2Config") } else { ("cache", "Config") };
        let (place, storage, mut typed) = match &self.storage {
            Storage::Memory => ("simple_http_cache", "SimpleHttpCache", json!({})),
            Storage::Files(fields) => ("file_system_http_cache", "FileSystemHttpCache", fields.clone()),
        };
        let kind =
            format!("type.googleapis.com/envoy.extensions.http.{filter}.{place}.v3.{storage}{message}");
        set(&mut typed, "@type", json!(kind));
        let mut config = json!({
            "@type": format!("type.googleapis.com/envoy.extensions.filters.http.{filter}.v3.Cache{message}"),
            "typed_config": typed,
        });
        for (name, value) in &self.fields {
            set(&mut config, name, value.clone());
        }
        json!({ "name": format!("envoy.filters.http.{filter}"), "typed_config": config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_names_its_own_storages() {
        let kinds = |cache: CacheFilter| {
            let filter = cache.to_filter();
            let text = |pointer: &str| {
                filter.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            ["/name", "/typed_config/@type", "/typed_config/typed_config/@type"].map(|pointer| {
                text(pointer).trim_start_matches("type.googleapis.com/envoy.extensions.").to_owned()
            })
        };
        assert_eq!(
            kinds(CacheFilter::simple()),
            [
                "envoy.filters.http.cache",
                "filters.http.cache.v3.CacheConfig",
                "http.cache.simple_http_cache.v3.SimpleHttpCacheConfig",
            ]
        );
        assert_eq!(
            kinds(CacheFilter::file_system(Path::new("/pages")).second_version()),
            [
                "envoy.filters.http.cache_v2",
                "filters.http.cache_v2.v3.CacheV2Config",
                "http.cache_v2.file_system_http_cache.v3.FileSystemHttpCacheV2Config",
            ]
        );
    }

    #[test]
    fn fields_are_the_filters_own() {
        let cache = CacheFilter::file_system(Path::new("/pages")).field("disabled", json!(true));
        let filter = cache.to_filter();
        assert_eq!(filter.pointer("/typed_config/disabled"), Some(&json!(true)));
        assert_eq!(filter.pointer("/typed_config/typed_config/cache_path"), Some(&json!("/pages")));
    }
}
