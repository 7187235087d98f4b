//! Names one registration of a key.

shared_kernel::uuid_id! {
    /// One registration of a key: a key that is removed and registered anew gets another.
    pub struct EntryId("entry_id");
}
