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
    /// Introspection fields that lie within one another; they count for no other limit of depth.
    pub introspection_depth_max: usize,
    /// Introspection fields of a document, its fragments written out.
    pub introspection_fields_max: u64,
    /// Operations in one batch.
    pub batch_max: usize,
    /// Plans that are kept; the one unused for longest makes room.
    pub plans_max: usize,
    /// Bytes of the documents and sub-requests of all plans that are kept.
    pub plans_bytes_max: usize,
    /// Milliseconds that planning one operation may take.
    pub planning_ms_max: u64,
    /// Milliseconds until a subgraph must have answered one sub-request.
    pub sub_request_ms_max: u64,
    /// Milliseconds until an operation, or an event of a subscription, is answered with what is
    /// known by then.
    pub operation_ms_max: u64,
    /// Queries that run at a time; the next wait for their turn.
    pub queries_under_way_max: usize,
    /// Mutations that run at a time; the next wait for their turn.
    pub mutations_under_way_max: usize,
    /// Subscriptions that are open at a time; the next is refused.
    pub streams_under_way_max: usize,
    /// Milliseconds that an operation waits for its turn.
    pub turn_ms_max: u64,
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
            introspection_fields_max: 1_000,
            batch_max: 10,
            plans_max: 1_000,
            plans_bytes_max: 4 * 1024 * 1024,
            planning_ms_max: 1_000,
            sub_request_ms_max: 5_000,
            operation_ms_max: 30_000,
            queries_under_way_max: 24,
            mutations_under_way_max: 512,
            streams_under_way_max: 2_000,
            turn_ms_max: 2_000,
            splits_max: 64,
            errors_max: 100,
        }
    }
}
