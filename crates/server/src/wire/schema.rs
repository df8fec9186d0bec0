//! What the fields of a request look like in OpenAPI.

use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::field::{Field, Flag, Number, Section};

fn plain(of: Type) -> RefOr<Schema> {
    Object::with_type(of).into()
}

impl PartialSchema for Field {
    fn schema() -> RefOr<Schema> {
        plain(Type::String)
    }
}

impl ToSchema for Field {}

impl PartialSchema for Flag {
    fn schema() -> RefOr<Schema> {
        plain(Type::Boolean)
    }
}

impl ToSchema for Flag {}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).into()
    }
}

impl ToSchema for Number {}

/// A request is read and never written. What is asked for here is the default of a field that is
/// missing, which is nothing; a text that is there is nobody's to write.
macro_rules! unwritten {
    ($($field:ty),*) => {$(
        impl Serialize for $field {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_unit()
            }
        }
    )*};
}

unwritten!(Field, Flag, Number, Section<super::FactorRequest>);
