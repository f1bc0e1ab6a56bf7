//! Which features wait for which, and whether any wait for themselves.

use crate::decide::feature::{Depth, Feature};

/// Finds how deep each feature is, by taking away again and again those whose parents are all known (Kahn's algorithm).
/// What is left waits for itself, or for something that does.
pub(super) fn find_depths(features: &mut [Feature]) {
    let mut children = vec![Vec::new(); features.len()];
    let mut waiting = vec![0_usize; features.len()];
    let mut depths = vec![1_usize; features.len()];
    for (child, feature) in features.iter().enumerate() {
        for parent in feature.parents() {
            if let (Some(children), Some(count)) = (children.get_mut(parent), waiting.get_mut(child)) {
                children.push(child);
                *count = count.saturating_add(1);
            }
        }
    }
    let free = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
    let mut known: Vec<usize> = free.map(|(index, _)| index).collect();
    while let Some(parent) = known.pop() {
        let depth = depths.get(parent).copied().unwrap_or_default();
        if let Some(feature) = features.get_mut(parent) {
            feature.depth = Depth::Steps(depth);
        }
        for child in children.get(parent).into_iter().flatten() {
            let (Some(count), Some(own)) = (waiting.get_mut(*child), depths.get_mut(*child)) else {
                continue;
            };
            *own = (*own).max(depth.saturating_add(1));
            *count = count.saturating_sub(1);
            if *count == 0 {
                known.push(*child);
            }
        }
    }
}
