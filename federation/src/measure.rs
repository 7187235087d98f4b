//! Measures a document before anything expensive looks at it.
//!
//! Fragments make a small document large: ten that use one another twice each are a thousand
//! fields. So each fragment is measured once and its measure used again, and neither validation nor
//! planning sees a document that is over a limit. Introspection is measured by itself: it reads no
//! subgraph, and tools need it deep; but it is written out for planning as all the rest is.

use std::collections::HashMap;

use async_graphql::ServerError;
use graphql_tools::static_graphql::query::{
    Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    TypeCondition, Value,
};
use graphql_tools::static_graphql::schema;
use hive_router_query_planner::state::supergraph_state::OperationKind;

use crate::api::{Api, is_list};
use crate::cost::{Cost, CostStep, Count, Times};
use crate::{Code, Limits};

/// Selections within one another that are followed, of whatever kind.
const LEVELS_MAX: usize = 250;
/// Lists of `__Type` within one another; three are a query whose answer explodes.
const TYPE_LISTS_MAX: usize = 2;
/// Fields of `__Type` that are lists.
const TYPE_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
/// Arguments that say how many entries a field answers at most.
const PAGE_ARGUMENTS: [&str; 2] = ["first", "last"];

/// The kind of an operation.
pub(crate) fn kind_of(operation: &OperationDefinition) -> OperationKind {
    match operation {
        OperationDefinition::SelectionSet(_) | OperationDefinition::Query(_) => {
            OperationKind::Query
        }
        OperationDefinition::Mutation(_) => OperationKind::Mutation,
        OperationDefinition::Subscription(_) => OperationKind::Subscription,
    }
}

/// How large a document is.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// What one operation of it costs.
    pub(crate) cost: Cost,
    /// What validation and planning look at: its fields with fragments written out, or all that is
    /// written, whatever is more. Validation compares fragments with one another too.
    pub(crate) weight: u64,
}

/// Refuses a document that is too large or too deep, and says how large it is.
/// What no operation uses is measured too, for validation looks at it, and compares every field
/// with every other that may stand in its place: so all operations together have the fields of one.
pub(crate) fn measure(
    api: &Api,
    limits: &Limits,
    document: &Document,
    chosen: &OperationDefinition,
) -> Result<Measured, ServerError> {
    let fragments = fragments_of(document);
    let mut cost = Cost::default();
    let (mut fields, mut introspection) = (0_u64, 0_u64);
    for definition in &document.definitions {
        let Definition::Operation(operation) = definition else { continue };
        let mut measurer = Measurer::new(api, limits, &fragments);
        let found = measurer.operation(operation)?;
        fields = fields.saturating_add(found.fields);
        introspection = introspection.saturating_add(found.introspection);
        if std::ptr::eq(operation, chosen) {
            cost = measurer.cost;
        }
        Measurer::at_most(fields, limits.fields_max, "fields")?;
        let most = limits.introspection_fields_max;
        Measurer::at_most(introspection, most, "introspection fields")?;
    }
    Measurer::new(api, limits, &fragments).all_fragments()?;
    let most = limits.fields_max.saturating_add(limits.introspection_fields_max);
    let written = all_written(document);
    Measurer::at_most(written, most, "written selections")?;
    let weight = fields.saturating_add(introspection);
    Ok(Measured { cost, weight: weight.max(written.saturating_add(count(fragments.len()))) })
}

/// Fragments by their names.
type Fragments<'a> = HashMap<&'a str, &'a FragmentDefinition>;

fn fragments_of(document: &Document) -> Fragments<'_> {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    fragments.collect()
}

/// Fields of one operation, its fragments written out.
#[derive(Debug, Clone, Copy)]
struct Fields {
    fields: u64,
    introspection: u64,
}

/// Fields and fragments as they are written: each fragment once, whether it is used or not. What is
/// measured already is nested within bounds.
fn all_written(document: &Document) -> u64 {
    let sets = document.definitions.iter().map(|definition| match definition {
        Definition::Operation(operation) => operation.selection_set(),
        Definition::Fragment(fragment) => &fragment.selection_set,
    });
    sets.fold(0, |sum, set| sum.saturating_add(written(set)))
}

fn written(set: &SelectionSet) -> u64 {
    let found = set.items.iter().map(|selection| match selection {
        Selection::Field(field) => written(&field.selection_set),
        Selection::InlineFragment(fragment) => written(&fragment.selection_set),
        Selection::FragmentSpread(_) => 0,
    });
    found.fold(count(set.items.len()), u64::saturating_add)
}

/// How large something is with its fragments written out, and the step that is its cost.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    fields: u64,
    type_lists: usize,
    cost: usize,
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            fields: self.fields.saturating_add(other.fields),
            type_lists: self.type_lists.max(other.type_lists),
            cost: 0,
        }
    }
}

struct Measurer<'a> {
    api: &'a Api,
    limits: &'a Limits,
    fragments: &'a Fragments<'a>,
    /// Measured fragments, inside a page and not; none while one is being measured.
    known: HashMap<(&'a str, bool), Option<Size>>,
    cost: Cost,
    aliases: usize,
    directives: usize,
    levels: usize,
    root_visits: usize,
}

/// Where a selection stands.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    parent: Option<&'a str>,
    /// Directly inside a field that has a page argument.
    paged: bool,
}

impl<'a> Measurer<'a> {
    fn new(api: &'a Api, limits: &'a Limits, fragments: &'a Fragments<'a>) -> Self {
        Self {
            api,
            limits,
            fragments,
            known: HashMap::new(),
            cost: Cost::default(),
            aliases: 0,
            directives: 0,
            levels: 0,
            root_visits: 0,
        }
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Fields, ServerError> {
        self.directives = operation.directives().len();
        let place = Place { parent: self.api.root(&kind_of(operation)), paged: false };
        let Limits { depth_max, introspection_depth_max, .. } = *self.limits;
        let mut roots = Vec::new();
        self.roots(operation.selection_set(), &mut roots)?;
        let (mut all, mut introspection) = (Size::default(), Size::default());
        let mut inside = Vec::new();
        for field in &roots {
            let size = self.field(field, place)?;
            if field.name.starts_with("__") {
                if size.depth > introspection_depth_max || size.type_lists > TYPE_LISTS_MAX {
                    return Err(
                        Code::OperationTooDeep.error("The introspection is nested too deep.")
                    );
                }
                introspection = introspection.beside(size);
                continue;
            }
            inside.push(size.cost);
            all = all.beside(size);
        }
        self.cost.push(CostStep { own: 0, times: Times::new(), inside });
        if all.depth > depth_max {
            let message =
                format!("The operation is nested {} deep; {depth_max} is the most.", all.depth);
            return Err(Code::OperationTooDeep.error(message));
        }
        Self::at_most(count(self.aliases), count(self.limits.aliases_max), "aliases")?;
        Self::at_most(count(self.directives), count(self.limits.directives_max), "directives")?;
        Ok(Fields { fields: all.fields, introspection: introspection.fields })
    }

    /// Every fragment by itself.
    fn all_fragments(&mut self) -> Result<(), ServerError> {
        let all: Vec<&'a FragmentDefinition> = self.fragments.values().copied().collect();
        for fragment in all {
            let size = self.fragment(&fragment.name, false)?;
            let (most, what) = if named(&fragment.type_condition).starts_with("__") {
                (self.limits.introspection_fields_max, "introspection fields")
            } else {
                (self.limits.fields_max, "fields")
            };
            Self::at_most(size.fields, most, what)?;
        }
        Self::at_most(count(self.aliases), count(self.limits.aliases_max), "aliases")?;
        Self::at_most(count(self.directives), count(self.limits.directives_max), "directives")
    }

    fn at_most(found: u64, most: u64, what: &str) -> Result<(), ServerError> {
        if found <= most {
            return Ok(());
        }
        let message = format!("The document has {found} {what}; {most} is the most.");
        Err(Code::OperationTooLarge.error(message))
    }

    /// The fields at the root, out of their fragments.
    fn roots(
        &mut self,
        set: &'a SelectionSet,
        found: &mut Vec<&'a Field>,
    ) -> Result<(), ServerError> {
        self.root_visits = self.root_visits.saturating_add(1);
        if self.root_visits > LEVELS_MAX {
            return Err(Self::too_deep());
        }
        for selection in &set.items {
            match selection {
                Selection::Field(field) => found.push(field),
                Selection::InlineFragment(fragment) => {
                    self.directives = self.directives.saturating_add(fragment.directives.len());
                    self.roots(&fragment.selection_set, found)?;
                }
                Selection::FragmentSpread(spread) => {
                    self.directives = self.directives.saturating_add(spread.directives.len());
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) {
                        self.roots(&fragment.selection_set, found)?;
                    }
                }
            }
            Self::at_most(count(found.len()), self.limits.root_fields_max, "fields at its root")?;
        }
        Ok(())
    }

    fn too_deep() -> ServerError {
        Code::OperationTooDeep.error("The operation is nested too deep, or its fragments go round.")
    }

    fn selections(&mut self, set: &'a SelectionSet, place: Place<'a>) -> Result<Size, ServerError> {
        self.levels = self.levels.saturating_add(1);
        if self.levels > LEVELS_MAX {
            return Err(Self::too_deep());
        }
        let mut all = Size::default();
        let mut inside = Vec::with_capacity(set.items.len());
        for selection in &set.items {
            let size = match selection {
                Selection::Field(field) => self.field(field, place)?,
                Selection::InlineFragment(fragment) => {
                    self.directives = self.directives.saturating_add(fragment.directives.len());
                    let parent = fragment.type_condition.as_ref().map(named).or(place.parent);
                    self.selections(&fragment.selection_set, Place { parent, ..place })?
                }
                Selection::FragmentSpread(spread) => {
                    self.directives = self.directives.saturating_add(spread.directives.len());
                    self.fragment(&spread.fragment_name, place.paged)?
                }
            };
            inside.push(size.cost);
            all = all.beside(size);
        }
        self.levels = self.levels.saturating_sub(1);
        all.cost = self.cost.push(CostStep { own: 0, times: Times::new(), inside });
        Ok(all)
    }

    fn fragment(&mut self, name: &'a str, paged: bool) -> Result<Size, ServerError> {
        match self.known.get(&(name, paged)) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(Self::too_deep()),
            None => {}
        }
        let mut size = Size::default();
        if let Some(fragment) = self.fragments.get(name).copied() {
            self.known.insert((name, paged), None);
            let parent = Some(named(&fragment.type_condition));
            size = self.selections(&fragment.selection_set, Place { parent, paged })?;
        } else {
            size.cost = self.cost.push(CostStep { own: 0, times: Times::new(), inside: vec![] });
        }
        // One that is not there counts too: whoever follows spreads follows those to it.
        size.fields = size.fields.max(1);
        self.known.insert((name, paged), Some(size));
        Ok(size)
    }

    fn field(&mut self, field: &'a Field, place: Place<'a>) -> Result<Size, ServerError> {
        self.aliases = self.aliases.saturating_add(usize::from(field.alias.is_some()));
        self.directives = self.directives.saturating_add(field.directives.len());
        let defined = place.parent.and_then(|parent| self.api.field(parent, &field.name));
        let (times, pages) = self.times(field, defined, place.paged);
        let parent = defined.map(|defined| defined.field_type.inner_type());
        let mut size = Size::default();
        let mut inside = Vec::new();
        if !field.selection_set.items.is_empty() {
            size = self.selections(&field.selection_set, Place { parent, paged: pages })?;
            inside.push(size.cost);
        }
        let own = u64::from(!field.name.starts_with("__"));
        size.depth = size.depth.saturating_add(1);
        size.fields = size.fields.saturating_add(1);
        let is_type_list = TYPE_LISTS.contains(&field.name.as_str());
        size.type_lists = size.type_lists.saturating_add(usize::from(is_type_list));
        size.cost = self.cost.push(CostStep { own, times, inside });
        Ok(size)
    }

    /// How many entries a field may answer, and whether it has a page argument.
    fn times(&self, field: &Field, defined: Option<&schema::Field>, paged: bool) -> (Times, bool) {
        let Some(defined) = defined else { return (Times::new(), false) };
        let pages = defined.arguments.iter().any(|argument| is_page(&argument.name));
        let mut times = Times::new();
        for argument in defined.arguments.iter().filter(|argument| is_page(&argument.name)) {
            let default = argument.default_value.as_ref().and_then(whole);
            let given = field.arguments.iter().find(|(name, _)| *name == argument.name);
            match given.map(|(_, value)| value) {
                Some(Value::Variable(name)) => {
                    let otherwise = default.unwrap_or(self.limits.page_size);
                    times.push(Count::Variable(name.clone(), otherwise));
                }
                Some(value) => times.extend(whole(value).map(Count::Fixed)),
                None => times.extend(default.map(Count::Fixed)),
            }
        }
        if times.is_empty() && pages {
            times.push(Count::Fixed(self.limits.page_size));
        } else if times.is_empty() && is_list(&defined.field_type) && !paged {
            times.push(Count::Fixed(self.limits.list_size));
        }
        (times, pages)
    }
}

fn is_page(argument: &str) -> bool {
    PAGE_ARGUMENTS.contains(&argument)
}

fn named(condition: &TypeCondition) -> &str {
    let TypeCondition::On(name) = condition;
    name
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => Some(number.as_i64().and_then(|it| it.try_into().ok()).unwrap_or(0)),
        Value::Variable(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Null
        | Value::Enum(_)
        | Value::List(_)
        | Value::Object(_) => None,
    }
}

/// The operation of a name, or the only one.
pub(crate) fn choose<'a>(
    document: &'a Document,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, ServerError> {
    let operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    });
    let found: Vec<&OperationDefinition> = match name {
        Some(name) => operations.filter(|it| operation_name(it) == Some(name)).collect(),
        None => operations.collect(),
    };
    match (found.as_slice(), name) {
        ([only], _) => Ok(only),
        ([], Some(name)) => {
            let message = format!("The document has no operation {name:?}.");
            Err(Code::OperationNotFound.error(message))
        }
        ([], None) => Err(Code::OperationNotFound.error("The document has no operation.")),
        ([first, ..], Some(_)) => Ok(first), // two of one name: validation says so
        ([_, ..], None) => {
            let message = "The document has several operations: name one in `operationName`.";
            Err(Code::OperationNotFound.error(message))
        }
    }
}

fn operation_name(operation: &OperationDefinition) -> Option<&str> {
    match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(it) => it.name.as_deref(),
        OperationDefinition::Mutation(it) => it.name.as_deref(),
        OperationDefinition::Subscription(it) => it.name.as_deref(),
    }
}
