//! Routes that no request gets to.

use super::Lint;
use crate::config::node::Path;
use crate::config::problem::Code;

impl Lint<'_> {
    pub(super) fn unreachable_routes(&mut self) {
        let engine = self.engine;
        for (index, route) in self.config.routes.iter().enumerate() {
            let earlier = engine.table().shadow(index).and_then(|earlier| engine.routes().get(earlier));
            let Some(earlier) = earlier else { continue };
            let path = Path::default().key("routes").index(index);
            let path = if route.matches.is_some() { path.key("match") } else { path.key("name") };
            let message = format!(
                "no request is on route \"{}\", as route \"{}\" before it takes all that this one matches; put this one first, or \
                 narrow the other's `match`",
                route.name, earlier.name
            );
            self.add(Code::UnreachableRoute, path, message);
        }
    }
}
