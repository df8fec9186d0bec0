//! The layer: judges before the service behind it sees a request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Denied, RequireAssurance};

/// A service behind [`RequireAssurance`].
#[derive(Clone, Debug)]
pub struct Assured<S> {
    require: RequireAssurance,
    inner: S,
}

impl<S> Layer<S> for RequireAssurance {
    type Service = Assured<S>;

    fn layer(&self, inner: S) -> Assured<S> {
        Assured { require: self.clone(), inner }
    }
}

impl<S, B, R> Service<Request<B>> for Assured<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.require.judge(request.headers()) {
            Ok(claims) => {
                request.extensions_mut().insert(claims);
                Box::pin(self.inner.call(request))
            }
            Err(denied) => Box::pin(async move { Ok(refusal(denied)) }),
        }
    }
}

fn refusal<R: From<String>>(denied: Denied) -> Response<R> {
    let body = format!("{{\"error\":\"{}\",\"error_description\":\"{denied}\"}}", denied.error());
    let mut response = Response::new(R::from(body));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, denied.challenge());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
