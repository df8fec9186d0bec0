//! What is served, as OpenAPI 3.1: shapes from the types that are read and written, routes from one
//! table. A test holds the table against the contract and against the router, another program holds
//! the answers against it.

mod operation;
mod table;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use self::operation::{Operation, Schemas};
use crate::wire::ErrorBody;

/// Where the routes of the contract begin.
const BASE: &str = "/identity/resources/";

/// The document.
pub(super) fn document() -> Value {
    let mut schemas = Schemas::default();
    schemas.add::<ErrorBody>();
    let mut paths = Map::new();
    for operation in table::operations() {
        let Operation { method, path, .. } = &operation;
        let path = if path.starts_with('/') { path.clone() } else { format!("{BASE}{path}") };
        let method = *method;
        let described = operation.describe(&mut schemas);
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        if let Value::Object(entry) = entry {
            entry.insert(method.to_owned(), described);
        }
    }
    let bearer = json!({"type": "http", "scheme": "bearer"});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0"},
            "description": "Everything under /identity/resources is also served under /frontegg/identity/resources.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.into_value(),
            "securitySchemes": {"user": bearer, "vendor": bearer},
        },
    })
}

/// `GET /openapi.json`.
pub(super) fn served() -> impl Fn() -> std::future::Ready<Response> + Clone {
    let document = document();
    move || std::future::ready(Json(document.clone()).into_response())
}

/// The name of a type's schema.
fn named<T: ToSchema>() -> Value {
    json!({"$ref": format!("#/components/schemas/{}", T::name())})
}
