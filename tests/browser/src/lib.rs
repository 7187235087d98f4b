//! The pages of the hub in a real browser. All of it is in `tests/`, behind the feature `chromium`:
//! a machine without a browser runs every other test.
