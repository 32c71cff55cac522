//! A small client of its own: requests, sealing, opening, and a portal under a clock to call.

use std::sync::Arc;

use aes::Aes256;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cipher::block_padding::Pkcs7;
use cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit};
use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SeededEntropy;
use einvoice_sandbox::{Connection, Delivery, PortalReply, PortalRequest, PortalSettings, Sandbox};
use serde_json::{Value, json};

pub(crate) const SELLER: &str = "29AABCE1234F1Z1";
pub(crate) const SISTER: &str = "27AABCE1234F1Z5";
pub(crate) const BUYER: &str = "27AAACB5678K1ZA";

/// 5 November 2026, noon in India.
pub(crate) fn noon() -> jiff::Timestamp {
    "2026-11-05T06:30:00Z".parse().unwrap()
}

/// A portal in memory at noon.
pub(crate) fn portal(settings: PortalSettings) -> Sandbox {
    Sandbox::in_memory(settings, Arc::new(ManualClock::new(noon())), Arc::new(SeededEntropy::new(7))).unwrap()
}

/// An inter-state B2B invoice of one item whose totals foot.
pub(crate) fn invoice(number: &str) -> Value {
    json!({
        "Version": "1.1",
        "TranDtls": {"TaxSch": "GST", "SupTyp": "B2B"},
        "DocDtls": {"Typ": "INV", "No": number, "Dt": "05/11/2026"},
        "SellerDtls": {"Gstin": SELLER, "LglNm": "Example Exports", "Addr1": "1 Example Street", "Loc": "Bengaluru", "Pin": 560_001, "Stcd": "29"},
        "BuyerDtls": {"Gstin": BUYER, "LglNm": "Example Buyers", "Pos": "27", "Addr1": "2 Example Road", "Loc": "Mumbai", "Pin": 400_001, "Stcd": "27"},
        "ItemList": [{"SlNo": "1", "PrdDesc": "Laptop stand", "IsServc": "N", "HsnCd": "84733099", "Qty": 10, "Unit": "NOS", "UnitPrice": 100.50,
            "TotAmt": 1005, "AssAmt": 1005, "GstRt": 18, "IgstAmt": 180.90, "TotItemVal": 1185.90}],
        "ValDtls": {"AssVal": 1005, "IgstVal": 180.90, "TotInvVal": 1185.90}
    })
}

pub(crate) fn seal(key: &[u8], plain: &[u8]) -> String {
    let key: [u8; 32] = key.try_into().unwrap();
    STANDARD.encode(ecb::Encryptor::<Aes256>::new(&key.into()).encrypt_padded_vec::<Pkcs7>(plain))
}

pub(crate) fn open(key: &[u8], sealed: &str) -> Vec<u8> {
    let key: [u8; 32] = key.try_into().unwrap();
    let sealed = STANDARD.decode(sealed).unwrap();
    ecb::Decryptor::<Aes256>::new(&key.into()).decrypt_padded_vec::<Pkcs7>(&sealed).unwrap()
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

pub(crate) fn rsa(public_pem: &str, plain: &[u8]) -> String {
    let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(&der(public_pem)).unwrap()).unwrap();
    let mut sealed = vec![0; key.ciphertext_size()];
    let sealed = key.encrypt(plain, &mut sealed).unwrap();
    STANDARD.encode(sealed)
}

/// Header and payload of a token whose signature holds.
pub(crate) fn verified(token: &str, signing_pem: &str) -> (Value, Value) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    // The key type wants the bare RSAPublicKey, which ends the SubjectPublicKeyInfo.
    let spki = der(signing_pem);
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki[24..]);
    key.verify(input.as_bytes(), &signature).unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(header), read(payload))
}

/// What a client holds.
#[derive(Clone)]
pub(crate) struct RawClient {
    pub(crate) gstin: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) user_name: String,
    pub(crate) password: String,
    pub(crate) auth_pem: String,
    pub(crate) app_key: [u8; 32],
    pub(crate) token: String,
    pub(crate) sek: Vec<u8>,
}

impl RawClient {
    /// A client with the accounts of a GSTIN, not logged in.
    pub(crate) fn new(sandbox: &Sandbox, gstin: &str) -> Self {
        Self::of(&sandbox.connection("http://nowhere"), gstin)
    }

    /// A client made from `connection.json` alone.
    pub(crate) fn of(connection: &Connection, gstin: &str) -> Self {
        let user = connection.users.iter().find(|user| user.gstin == gstin).unwrap();
        Self {
            gstin: gstin.to_owned(),
            client_id: user.client_id.clone(),
            client_secret: user.client_secret.clone(),
            user_name: user.username.clone(),
            password: user.password.clone(),
            auth_pem: connection.auth_public_key.clone(),
            app_key: [11; 32],
            token: String::new(),
            sek: Vec::new(),
        }
    }

    /// A client that is logged in.
    pub(crate) async fn logged_in(sandbox: &Sandbox, gstin: &str) -> Self {
        let mut client = Self::new(sandbox, gstin);
        let reply = call(sandbox, &client.login(false)).await;
        client.take_login(&reply);
        client
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.as_str()),
            ("Gstin", self.gstin.as_str()),
        ];
        if !self.token.is_empty() {
            headers.extend([("user_name", self.user_name.as_str()), ("AuthToken", self.token.as_str())]);
        }
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(crate) fn credentials(&self, force: bool) -> String {
        let app_key = STANDARD.encode(self.app_key);
        json!({"UserName": self.user_name, "Password": self.password, "AppKey": app_key, "ForceRefreshAccessToken": force}).to_string()
    }

    pub(crate) fn login(&self, force: bool) -> PortalRequest {
        let data = rsa(&self.auth_pem, STANDARD.encode(self.credentials(force)).as_bytes());
        self.post("/eivital/v1.04/auth", &json!({ "Data": data }))
    }

    pub(crate) fn take_login(&mut self, reply: &Value) {
        assert_eq!(reply["Status"], 1, "{reply}");
        self.token = reply["Data"]["AuthToken"].as_str().map(str::to_owned).unwrap();
        self.sek = open(&self.app_key, reply["Data"]["Sek"].as_str().unwrap());
        assert_eq!(self.sek.len(), 32);
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> PortalRequest {
        PortalRequest {
            method: "POST".into(),
            target: target.into(),
            headers: self.headers(),
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn get(&self, target: &str) -> PortalRequest {
        PortalRequest { method: "GET".into(), target: target.into(), headers: self.headers(), body: Vec::new() }
    }

    pub(crate) fn generate(&self, document: &Value) -> PortalRequest {
        self.generate_text(&document.to_string())
    }

    pub(crate) fn generate_text(&self, document: &str) -> PortalRequest {
        self.post("/eicore/v1.03/Invoice", &json!({"Data": seal(&self.sek, document.as_bytes())}))
    }

    pub(crate) fn cancel(&self, irn: &str, reason: &str) -> PortalRequest {
        let plain = json!({"Irn": irn, "CnlRsn": reason, "CnlRem": "entered twice"}).to_string();
        self.post("/eicore/v1.03/Invoice/Cancel", &json!({"Data": seal(&self.sek, plain.as_bytes())}))
    }

    pub(crate) fn by_irn(&self, irn: &str) -> PortalRequest {
        self.get(&format!("/eicore/v1.03/Invoice/irn/{irn}"))
    }

    pub(crate) fn by_document(&self, number: &str, date: &str) -> PortalRequest {
        let (number, date) = (number.replace('/', "%2F"), date.replace('/', "%2F"));
        self.get(&format!("/eicore/v1.03/Invoice/irnbydocdetails?doctype=INV&docnum={number}&docdate={date}"))
    }

    /// The opened `Data` of a successful reply.
    pub(crate) fn opened(&self, reply: &Value) -> Value {
        assert_eq!(reply["Status"], 1, "{reply}");
        serde_json::from_slice(&open(&self.sek, reply["Data"].as_str().unwrap())).unwrap()
    }
}

/// Carries a request to a portal in this process.
pub(crate) async fn call(sandbox: &Sandbox, request: &PortalRequest) -> Value {
    json_of(&sandbox.exchange(request).await.unwrap())
}

pub(crate) fn json_of(reply: &PortalReply) -> Value {
    assert_eq!((reply.status, reply.delivery), (200, Delivery::Normal));
    serde_json::from_slice(&reply.body).unwrap()
}

/// The codes of a refusal.
pub(crate) fn codes(reply: &Value) -> Vec<String> {
    assert_eq!(reply["Status"], 0, "{reply}");
    let errors = reply["ErrorDetails"].as_array().unwrap();
    errors.iter().map(|error| error["ErrorCode"].as_str().unwrap().to_owned()).collect()
}

/// A client of the e-way bill system.
#[derive(Clone)]
pub(crate) struct EwbClient {
    pub(crate) inner: RawClient,
}

impl EwbClient {
    /// A client with the accounts of a GSTIN, not logged in.
    pub(crate) fn new(sandbox: &Sandbox, gstin: &str) -> Self {
        let connection = sandbox.connection("http://nowhere");
        assert_eq!(connection.ewb.base_url, "http://nowhere/ewb");
        let user = connection.ewb.users.iter().find(|user| user.gstin == gstin).unwrap();
        let inner = RawClient {
            gstin: gstin.to_owned(),
            client_id: user.client_id.clone(),
            client_secret: user.client_secret.clone(),
            user_name: user.username.clone(),
            password: user.password.clone(),
            auth_pem: connection.ewb.auth_public_key.clone(),
            app_key: [13; 32],
            token: String::new(),
            sek: Vec::new(),
        };
        Self { inner }
    }

    /// A client that is logged in.
    pub(crate) async fn logged_in(sandbox: &Sandbox, gstin: &str) -> Self {
        sandbox.provision(gstin).await.unwrap();
        let mut client = Self::new(sandbox, gstin);
        let reply = call(sandbox, &client.login()).await;
        client.take_login(&reply);
        client
    }

    fn headers(&self) -> Vec<(String, String)> {
        let headers = [
            ("client-id", self.inner.client_id.as_str()),
            ("client-secret", self.inner.client_secret.as_str()),
            ("gstin", self.inner.gstin.as_str()),
            ("authtoken", self.inner.token.as_str()),
        ];
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(crate) fn login(&self) -> PortalRequest {
        let plain = json!({"action": "ACCESSTOKEN", "username": self.inner.user_name, "password": self.inner.password,
            "app_key": STANDARD.encode(self.inner.app_key)});
        let data = rsa(&self.inner.auth_pem, STANDARD.encode(plain.to_string()).as_bytes());
        self.post("/ewb/v1.03/auth", &json!({ "Data": data }))
    }

    pub(crate) fn take_login(&mut self, reply: &Value) {
        assert_eq!(reply["status"], "1", "{reply}");
        self.inner.token = reply["authtoken"].as_str().map(str::to_owned).unwrap();
        self.inner.sek = open(&self.inner.app_key, reply["sek"].as_str().unwrap());
    }

    fn post(&self, target: &str, body: &Value) -> PortalRequest {
        let body = body.to_string().into_bytes();
        PortalRequest { method: "POST".into(), target: target.into(), headers: self.headers(), body }
    }

    pub(crate) fn act_request(&self, action: &str, plain: &Value) -> PortalRequest {
        let data = seal(&self.inner.sek, plain.to_string().as_bytes());
        self.post("/ewb/v1.03/ewayapi", &json!({ "action": action, "data": data }))
    }

    /// Carries out an action: the opened answer, or the codes.
    pub(crate) async fn act(&self, sandbox: &Sandbox, action: &str, plain: &Value) -> Result<Value, Vec<String>> {
        let reply = call(sandbox, &self.act_request(action, plain)).await;
        if reply["status"] != "1" {
            return Err(ewb_codes(&reply));
        }
        Ok(serde_json::from_slice(&open(&self.inner.sek, reply["data"].as_str().unwrap())).unwrap())
    }

    /// Asks for a page below `/v1.03/`.
    pub(crate) fn get(&self, page: &str) -> PortalRequest {
        let target = format!("/ewb/v1.03/{page}");
        PortalRequest { method: "GET".into(), target, headers: self.headers(), body: Vec::new() }
    }

    /// Reads a page below `/v1.03/`, and checks its code of authentication.
    pub(crate) async fn read(&self, sandbox: &Sandbox, page: &str) -> Result<Value, Vec<String>> {
        let reply = call(sandbox, &self.get(page)).await;
        if reply["status"] != "1" {
            return Err(ewb_codes(&reply));
        }
        let rek = open(&self.inner.sek, reply["rek"].as_str().unwrap());
        let json = open(&rek, reply["data"].as_str().unwrap());
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &rek);
        let tag = STANDARD.decode(reply["hmac"].as_str().unwrap()).unwrap();
        aws_lc_rs::hmac::verify(&key, STANDARD.encode(&json).as_bytes(), &tag).unwrap();
        Ok(serde_json::from_slice(&json).unwrap())
    }
}

/// The codes of a refusal of the e-way bill system.
pub(crate) fn ewb_codes(reply: &Value) -> Vec<String> {
    assert_eq!(reply["status"], "0", "{reply}");
    let error: Value = match &reply["error"] {
        Value::String(text) => serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap(),
        object => object.clone(),
    };
    let listed = error["errorCodes"].as_str().unwrap().split(',').map(str::trim);
    listed.filter(|code| !code.is_empty()).map(str::to_owned).collect()
}
