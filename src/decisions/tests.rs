//! Decisions of a configuration, request by request.
