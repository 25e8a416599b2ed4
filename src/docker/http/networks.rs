//! `/networks`.

use serde_json::{Value, json};

use super::exchange::{Answer, Call, Routed};
use super::volumes::{last, table, text};
use crate::docker::daemon::api::network::{EndpointRequest, NetworkCreate};

/// `GET /networks`.
pub async fn list(call: &Call) -> Routed {
    let mut documents = Vec::new();
    for network in call.daemon.network_list(&call.ask.query.filters()?)? {
        let mut document = call.daemon.network_inspect(&network.id)?;
        if let Some(fields) = document.as_object_mut() {
            // A list does not tell who is in.
            fields.insert("Containers".to_owned(), json!({}));
        }
        documents.push(document);
    }
    Ok(Some(Answer::json(200, &Value::Array(documents))))
}

/// `GET /networks/{id}`.
pub async fn inspect(call: &Call) -> Routed {
    Ok(Some(Answer::json(200, &call.daemon.network_inspect(last(&call.ask))?)))
}

/// `POST /networks/create`.
pub async fn create(call: &Call) -> Routed {
    let body = call.ask.json()?;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let pools = body.get("IPAM").and_then(|ipam| ipam.get("Config")).and_then(Value::as_array);
    let pools = pools.map_or(&[][..], Vec::as_slice);
    let all = |name: &str| pools.iter().map(|pool| text(pool, name)).filter(|text| !text.is_empty()).collect();
    let request = NetworkCreate {
        name: text(&body, "Name"),
        driver: text(&body, "Driver"),
        internal: flag("Internal"),
        attachable: flag("Attachable"),
        subnets: all("Subnet"),
        gateways: all("Gateway"),
        ip_ranges: all("IPRange"),
        options: table(&body, "Options"),
        labels: table(&body, "Labels"),
    };
    let id = call.daemon.network_create(request)?;
    Ok(Some(Answer::json(201, &json!({"Id": id, "Warning": ""}))))
}

/// `EndpointSettings`.
pub fn endpoint(body: &Value) -> EndpointRequest {
    let texts = |name: &str| {
        let list = body.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    EndpointRequest {
        aliases: texts("Aliases"),
        ipv4_address: body.get("IPAMConfig").map(|ipam| text(ipam, "IPv4Address")).unwrap_or_default(),
        mac_address: text(body, "MacAddress"),
        links: texts("Links"),
    }
}

/// `POST /networks/{id}/connect`.
pub async fn connect(call: &Call) -> Routed {
    let body = call.ask.json()?;
    let endpoint = body.get("EndpointConfig").map(endpoint).unwrap_or_default();
    call.daemon.network_connect(network(call), &text(&body, "Container"), endpoint)?;
    Ok(Some(Answer::empty(200)))
}

/// `POST /networks/{id}/disconnect`.
pub async fn disconnect(call: &Call) -> Routed {
    let body = call.ask.json()?;
    let force = body.get("Force").and_then(Value::as_bool).unwrap_or(false);
    call.daemon.network_disconnect(network(call), &text(&body, "Container"), force)?;
    Ok(Some(Answer::empty(200)))
}

fn network(call: &Call) -> &str {
    call.ask.part(1)
}

/// `DELETE /networks/{id}`.
pub async fn remove(call: &Call) -> Routed {
    call.daemon.network_remove(last(&call.ask))?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /networks/prune`.
pub async fn prune(call: &Call) -> Routed {
    let report = call.daemon.network_prune(&call.ask.query.filters()?)?;
    Ok(Some(Answer::json(200, &json!({"NetworksDeleted": report.deleted}))))
}
