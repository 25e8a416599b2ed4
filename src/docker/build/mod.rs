//! Builds: plan, cache, context, execution, progress.
