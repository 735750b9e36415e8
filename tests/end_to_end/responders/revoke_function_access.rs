//! `revoke-function-access` does what every responder must, about URLs; and about statements, as far as moto goes.
//!
//! moto takes the revision that a removal names for a list, and refuses each. [`without_revisions`] keeps it from seeing
//! one; that it is sent is shown in the function's `src/aws.rs`.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Cors, FunctionCode, FunctionUrlAuthType, LayerVersionContentInput, Runtime};
use remedy::State;
use serde_json::{Value, json};
use stage::Call;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, REGION, Setting, outcome, status};
use crate::folders::Folder;

/// An archive without files.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

struct OpenUrl;

/// One of the responder's events, about this function.
fn event(file: &str, name: &str) -> Value {
    let folder = Folder { name: OpenUrl::NAME.to_owned() };
    let mut event: Value = folder.json(&format!("events/match/{file}.json"));
    event["region"] = json!(REGION);
    let detail = &mut event["detail"];
    detail["awsRegion"] = json!(REGION);
    detail["eventID"] = json!(format!("{file} {name}"));
    detail["requestParameters"]["functionName"] = json!(name);
    detail["responseElements"] = Value::Null;
    event
}

/// A function with this tag.
async fn function(setting: &Setting, name: &str, tag: &str) {
    let lambda = Client::new(&setting.operator);
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let role = iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
    lambda
        .create_function()
        .function_name(name)
        .runtime(Runtime::Providedal2023)
        .role(role.role.unwrap().arn)
        .handler("bootstrap")
        .code(FunctionCode::builder().zip_file(Blob::new(EMPTY_ZIP)).build())
        .tags("team", tag)
        .send()
        .await
        .unwrap();
    setting.account.events();
}

async fn set_url(setting: &Setting, name: &str, to: FunctionUrlAuthType) {
    let lambda = Client::new(&setting.operator);
    lambda.update_function_url_config().function_name(name).auth_type(to).send().await.unwrap();
    setting.account.events();
}

async fn expose(setting: &Setting, name: &str) -> Value {
    let cors = Cors::builder().allow_origins("https://example.com").build();
    let url = Client::new(&setting.attacker).create_function_url_config().function_name(name).cors(cors);
    url.auth_type(FunctionUrlAuthType::None).send().await.unwrap();
    setting.account.events();
    event("url-without-authentication", name)
}

impl Scenario for OpenUrl {
    const NAME: &'static str = "revoke-function-access";
    const NOT_SHOWN: &'static [(&'static str, &'static str)] = &[
        ("lambda:RemovePermission", "moto refuses each revision; shown without one below"),
        ("lambda:GetLayerVersionPolicy", "what follows it is refused; shown below"),
        ("lambda:RemoveLayerVersionPermission", "moto refuses each revision; shown without one below"),
    ];

    async fn expose(setting: &Setting, _: usize, nth: u32) -> Exposure {
        let name = format!("f{nth}");
        function(setting, &name, "shop").await;
        let event = expose(setting, &name).await;
        Exposure { name, event }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        let lambda = Client::new(&setting.operator);
        let url = lambda.get_function_url_config().function_name(&exposure.name).send().await.unwrap();
        setting.account.events();
        json!([url.auth_type.as_str(), url.cors.unwrap().allow_origins.unwrap(), url.function_url])
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        set_url(setting, &exposure.name, FunctionUrlAuthType::AwsIam).await;
    }

    /// There are two settings, and both are known to an undo.
    async fn meddle(_: &Setting, _: &Exposure) -> bool {
        false
    }

    fn action(call: &Call) -> String {
        let (method, path) = call.operation.split_once(' ').unwrap();
        let what = path.rsplit('/').next().unwrap();
        let name = match (method, what) {
            ("GET", "policy") => "GetPolicy",
            ("GET", "url") => "GetFunctionUrlConfig",
            ("PUT", "url") => "UpdateFunctionUrlConfig",
            ("GET", _) if path.contains("/tags/") => "ListTags",
            _ => panic!("which action is {}?", call.operation),
        };
        format!("lambda:{name}")
    }
}

proves!(OpenUrl);

#[tokio::test]
async fn a_tag_that_policy_asks_for_is_read() {
    let exempting = format!(
        r#"{ENFORCE} @id("playground") @reason("it is public by design")
           forbid (principal, action, resource) when {{ resource.hasTag("team") && resource.getTag("team") == "demo" }};"#
    );
    let setting = Setting::with(&exempting).await;
    let responder = setting.function(OpenUrl::NAME).await;
    for (name, tag, expected) in [("public", "demo", "exempt"), ("private", "shop", "contained")] {
        function(&setting, name, tag).await;
        let event = expose(&setting, name).await;
        assert_eq!(status(responder.invoke(&event).await), expected, "{name}");
    }
}

#[tokio::test]
async fn what_is_gone_is_already_safe() {
    let setting = Setting::with(ENFORCE).await;
    let responder = setting.function(OpenUrl::NAME).await;
    for file in ["url-without-authentication", "function-for-everybody", "parameters-left-out"] {
        let outcome = outcome(responder.invoke(&event(file, "gone")).await);
        assert_eq!(outcome["status"], "already_safe", "{outcome:#}");
    }
    function(&setting, "closed", "shop").await;
    let outcome = outcome(responder.invoke(&event("url-without-authentication", "closed")).await);
    assert_eq!(outcome["status"], "already_safe", "{outcome:#}");
}

/// A way to the emulator on which no revision is named. It ends with the test.
async fn without_revisions(setting: &Setting) -> String {
    let (listener, to) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), setting.account.proxy().address());
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(from.read_u8().await?);
                }
                let head = String::from_utf8(head).unwrap();
                let (request, headers) = head.split_once("\r\n").unwrap();
                let (uri, version) = request.rsplit_once(' ').unwrap();
                let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
                let query: Vec<&str> = query.split('&').filter(|part| !part.starts_with("RevisionId=")).collect();
                let request = format!("{path}?{} {version}", query.join("&"));
                let head = format!("{request}\r\nConnection: close\r\n{headers}");
                let mut to = TcpStream::connect(to).await?;
                to.write_all(head.as_bytes()).await?;
                tokio::io::copy_bidirectional(&mut from, &mut to).await
            });
        }
    });
    endpoint
}

async fn policy(setting: &Setting, layer: Option<&str>, name: &str) -> Value {
    let lambda = Client::new(&setting.operator);
    let text = match layer {
        None => lambda.get_policy().function_name(name).send().await.unwrap().policy,
        Some(layer) => {
            lambda.get_layer_version_policy().layer_name(layer).version_number(1).send().await.unwrap().policy
        }
    };
    setting.account.events();
    let mut policy: Value = serde_json::from_str(&text.unwrap()).unwrap();
    policy["Statement"].as_array_mut().unwrap().sort_by_key(|statement| statement["Sid"].to_string());
    policy
}

#[tokio::test]
async fn a_statement_is_removed_and_put_back() {
    let setting = Setting::with(ENFORCE).await;
    let endpoint = without_revisions(&setting).await;
    let responder = setting.function_with(OpenUrl::NAME, &[("AWS_ENDPOINT_URL_LAMBDA", &endpoint)]).await;
    let lambda = Client::new(&setting.attacker);
    function(&setting, "orders", "shop").await;
    let content = LayerVersionContentInput::builder().zip_file(Blob::new(EMPTY_ZIP)).build();
    lambda.publish_layer_version().layer_name("shared").content(content).send().await.unwrap();
    let add = |sid: &str, principal: &str| {
        lambda
            .add_permission()
            .function_name("orders")
            .statement_id(sid)
            .action("lambda:InvokeFunction")
            .principal(principal)
    };
    let share = |sid: &str, principal: &str| {
        let call = lambda.add_layer_version_permission().layer_name("shared").version_number(1).statement_id(sid);
        call.action("lambda:GetLayerVersion").principal(principal)
    };
    add("ours", "events.amazonaws.com")
        .source_arn("arn:aws:events:us-east-1:123456789012:rule/r")
        .send()
        .await
        .unwrap();
    add("partner", "999999999999").source_arn("arn:aws:s3:::orders").send().await.unwrap();
    share("ours", "123456789012").send().await.unwrap();
    share("all", "*").send().await.unwrap();
    setting.account.events();

    let mut foreign = event("alias-for-another-account", "orders");
    foreign["detail"]["requestParameters"]["qualifier"] = Value::Null;
    let mut shared = event("layer-for-everybody", "unused");
    shared["detail"]["requestParameters"]["layerName"] = json!("shared");
    shared["detail"]["requestParameters"]["versionNumber"] = json!(1);
    for (layer, event) in [(None, foreign), (Some("shared"), shared)] {
        let before = policy(&setting, layer, "orders").await;
        let contained = outcome(responder.invoke(&event).await);
        assert_eq!(contained["status"], "contained", "{contained:#}");
        let left = policy(&setting, layer, "orders").await;
        assert_eq!(left["Statement"].as_array().unwrap().len(), 1, "{left:#}");
        assert_eq!(left["Statement"][0]["Sid"], "ours");

        let id = contained["incident"].as_str().unwrap();
        let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
        assert!(done, "{said}");
        assert_eq!(policy(&setting, layer, "orders").await, before);
    }
    assert!(setting.incidents().await.iter().all(|incident| incident.state == State::Undone));
}

#[tokio::test]
async fn a_live_statement_is_judged_and_one_that_stays_is_told() {
    let setting = Setting::with(ENFORCE).await;
    let responder = setting.function(OpenUrl::NAME).await;
    function(&setting, "orders", "shop").await;
    let lambda = Client::new(&setting.attacker);
    let add = lambda.add_permission().function_name("orders").statement_id("sns").action("lambda:InvokeFunction");
    add.principal("sns.amazonaws.com").send().await.unwrap();
    setting.account.events();
    let outcome = outcome(responder.invoke(&event("service-without-source", "orders")).await);
    assert_eq!(outcome["status"], "already_safe", "{outcome:#}");
    let incident = setting.incident().await;
    assert_eq!(incident.facts["confusedDeputy"], json!(true), "{incident:#?}");
}
