use engraft::decide::condition::{Condition, SavedGroups};
use serde_json::Map;

use crate::{Outcome, section};

#[test]
fn conditions_evaluate_as_the_specification_says() -> Outcome {
    section("evalCondition", |case| {
        let (condition, attributes, expected) = (&case[1], &case[2], &case[3]);
        let groups = case[4].as_object().map_or_else(|| SavedGroups::new(&Map::new()), SavedGroups::new);
        let holds = Condition::compile_lenient(condition).eval(attributes, &groups);
        (*expected != holds).then(|| format!("it is {holds}"))
    })
}
