//! One operation: what it takes, what it answers, who may.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::named;
use crate::wire::ErrorBody;

/// What every operation may refuse with, each in the one shape of refusals.
const REFUSALS: [(&str, &str); 9] = [
    ("400", "A field is missing or of another type, or a code is wrong"),
    ("401", "No such login, session, token or password"),
    ("403", "Not for this caller"),
    ("404", "No such thing"),
    ("405", "Another method"),
    ("409", "It is there already, or in the way"),
    ("413", "The body is too large"),
    ("429", "Too many tries; Retry-After says when there may be another"),
    ("503", "No decision was reached; try again"),
];

/// Who may call it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Anybody; what counts is in the body or in a cookie.
    Anybody,
    /// A user, by an access token.
    User,
    /// A service, by a vendor token.
    Vendor,
    /// Either.
    Either,
}

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: String,
    summary: &'static str,
    who: Who,
    query: &'static [&'static str],
    headers: &'static [&'static str],
    takes: Option<Shape>,
    answers: (u16, Option<Shape>),
}

/// A named shape, and what of it has to be there.
struct Shape {
    add: fn(&mut Schemas),
    name: fn() -> Value,
    required: &'static [&'static str],
}

/// The schemas that operations refer to.
#[derive(Default)]
pub(super) struct Schemas(Map<String, Value>);

impl Operation {
    pub(super) fn new(method: &'static str, path: &str, summary: &'static str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            summary,
            who: Who::Anybody,
            query: &[],
            headers: &[],
            takes: None,
            answers: (200, None),
        }
    }

    pub(super) fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    /// Query parameters, all of them required.
    pub(super) fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    /// Headers that name what it is about; none is required.
    pub(super) fn headers(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    /// The body, and which of its fields must be there.
    pub(super) fn takes<T: ToSchema>(mut self, required: &'static [&'static str]) -> Self {
        self.takes = Some(Shape { add: Schemas::add::<T>, name: named::<T>, required });
        self
    }

    pub(super) fn answers<T: ToSchema>(mut self, status: u16) -> Self {
        let shape = Shape { add: Schemas::add::<T>, name: named::<T>, required: &[] };
        self.answers = (status, Some(shape));
        self
    }

    /// Answers without a shape of its own: nothing, or an empty object.
    pub(super) fn empty(mut self, status: u16) -> Self {
        self.answers = (status, None);
        self
    }

    pub(super) fn describe(self, schemas: &mut Schemas) -> Value {
        let mut responses = Map::new();
        let (status, shape) = &self.answers;
        let mut told = json!({"description": "Done"});
        if let Some(Shape { add, name, .. }) = shape {
            add(schemas);
            told =
                json!({"description": "Done", "content": {"application/json": {"schema": name()}}});
        }
        responses.insert(status.to_string(), told);
        for (status, description) in REFUSALS {
            let content = json!({"application/json": {"schema": named::<ErrorBody>()}});
            let refusal = json!({"description": description, "content": content});
            responses.insert(status.to_owned(), refusal);
        }
        let mut described = Map::new();
        described.insert("summary".into(), json!(self.summary));
        described.insert("responses".into(), Value::Object(responses));
        let parameters = self.parameters();
        if !parameters.is_empty() {
            described.insert("parameters".into(), Value::Array(parameters));
        }
        match self.who {
            Who::Anybody => None,
            Who::User => Some(json!([{"user": []}])),
            Who::Vendor => Some(json!([{"vendor": []}])),
            Who::Either => Some(json!([{"user": []}, {"vendor": []}])),
        }
        .map(|security| described.insert("security".into(), security));
        if let Some(Shape { add, name, required }) = self.takes {
            add(schemas);
            let mut schema = name();
            if !required.is_empty() {
                schema = json!({"allOf": [schema], "type": "object", "required": required});
            }
            let content = json!({"application/json": {"schema": schema}});
            let body = json!({"required": !required.is_empty(), "content": content});
            described.insert("requestBody".into(), body);
        }
        Value::Object(described)
    }

    fn parameters(&self) -> Vec<Value> {
        let text = json!({"type": "string"});
        let segments = self.path.split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            // An empty one would be another route.
            let schema = json!({"type": "string", "minLength": 1, "maxLength": 64});
            Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
        });
        let query = self.query.iter();
        let query = query
            .map(|name| json!({"name": name, "in": "query", "required": true, "schema": text}));
        let headers = self.headers.iter();
        let headers = headers
            .map(|name| json!({"name": name, "in": "header", "required": false, "schema": text}));
        segments.chain(query).chain(headers).collect()
    }
}

impl Schemas {
    /// Adds the schema of a type, and of all that it refers to.
    pub(super) fn add<T: ToSchema>(&mut self) {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        for (name, schema) in all {
            // A schema is data: it always encodes.
            let mut schema = serde_json::to_value(schema).unwrap_or_default();
            without_defaults(&mut schema);
            self.0.insert(name, schema);
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// The default of a request's field is that it is missing, which no schema can say.
fn without_defaults(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "default" || !value.is_null());
            fields.values_mut().for_each(without_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(without_defaults),
        _ => {}
    }
}
