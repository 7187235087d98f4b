//! Every bound of the joined graph, in one place. The README has the figures with their reasons.

/// What one operation may be, and what the graph keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a document, its comments included: a plan is kept under it.
    pub document_bytes_max: usize,
    /// Words and signs of a document.
    pub tokens_max: usize,
    /// Fields that lie within one another, the leaf included.
    pub depth_max: usize,
    /// Cost of an operation; the README has its formula.
    pub complexity_max: u64,
    /// How many entries a list is assumed to have that has no argument for it.
    pub list_size: u64,
    /// How many entries a page has whose argument is not given, as the subgraphs have it.
    pub page_size: u64,
    /// Fields of a document, its fragments written out.
    pub fields_max: u64,
    /// Fields at the root of an operation, its fragments written out.
    pub root_fields_max: u64,
    /// Aliases in a document.
    pub aliases_max: usize,
    /// Directives in a document.
    pub directives_max: usize,
    /// Introspection fields that lie within one another; they count for no other limit.
    pub introspection_depth_max: usize,
    /// Operations in one batch.
    pub batch_max: usize,
    /// Plans that are kept; the one unused for longest makes room.
    pub plans_max: usize,
    /// Milliseconds that planning one operation may take.
    pub planning_ms_max: u64,
    /// Milliseconds until a subgraph must have answered one sub-request.
    pub sub_request_ms_max: u64,
    /// Sub-requests that are spent on finding which entity of a batch fails.
    pub splits_max: usize,
    /// Errors in one answer; those beyond are left out.
    pub errors_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes_max: 64 * 1024,
            tokens_max: 4_000,
            depth_max: 16,
            complexity_max: 20_000,
            list_size: 10,
            page_size: 50,
            fields_max: 1_000,
            root_fields_max: 20,
            aliases_max: 60,
            directives_max: 60,
            introspection_depth_max: 20,
            batch_max: 10,
            plans_max: 1_000,
            planning_ms_max: 1_000,
            sub_request_ms_max: 5_000,
            splits_max: 64,
            errors_max: 100,
        }
    }
}
