//! A log key in a hardware security module, accessed through PKCS #11.
//!
//! The operator creates the key pair with the module's own tools. It is found by token and label: a public and a
//! private key object with the same label, Ed25519 (`CKM_EDDSA`, `CKA_EC_POINT`). The private key never leaves the
//! module, and the ledger creates no objects in it.
//!
//! The ledger keeps one session open. If signing fails, for example because the module was restarted or the session
//! timed out, the ledger opens a new session, once per signature. If that fails, too, the log stops accepting entries,
//! as it does when its store fails.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use serde::Deserialize;
use service::secret::read_private;
use tlog::note::{Algorithm, KeyName, SignatureLine, VerifierKey};

use crate::engine::signer::{NoteKey, SignerError};

/// The location of a key in a module.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLocation {
    /// The module's library, for example `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Label of the key objects.
    pub label: String,
    /// File with the user's PIN, readable by its owner only.
    pub pin_file: PathBuf,
}

/// A key in a module.
pub struct ModuleKey {
    module: Pkcs11,
    location: KeyLocation,
    pin: AuthPin,
    verifier: VerifierKey,
    open: Mutex<Option<OpenSession>>,
}

struct OpenSession {
    session: Session,
    private: ObjectHandle,
}

impl ModuleKey {
    /// Opens a session and finds the key; `name` is the log's origin.
    ///
    /// # Errors
    /// [`SignerError::Module`] if the module, the token, the PIN or the key cannot be used.
    pub fn open(location: &KeyLocation, name: KeyName) -> Result<Self, SignerError> {
        let wrong = |reason: String| SignerError::Module {
            key: location.label.clone(),
            reason,
        };
        let pin = read_private(&location.pin_file).map_err(|error| wrong(error.to_string()))?;
        let pin = AuthPin::new(pin.trim_end_matches('\n').into());
        let module = load(&location.module).map_err(|error| wrong(error.to_string()))?;
        let open = log_in(&module, location, &pin).map_err(wrong)?;
        let public = public_key(&open.session, location).map_err(wrong)?;
        Ok(Self {
            module,
            location: location.clone(),
            pin,
            verifier: VerifierKey::new(name, Algorithm::Ed25519, &public)?,
            open: Mutex::new(Some(open)),
        })
    }

    fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let sign = |open: &OpenSession| open.session.sign(&mechanism, open.private, message);
        if let Some(Ok(signature)) = open.as_ref().map(sign) {
            return Ok(signature);
        }
        // Closes the old session first, because some modules allow only one.
        *open = None;
        let again = open.insert(log_in(&self.module, &self.location, &self.pin)?);
        sign(again).map_err(|error| error.to_string())
    }
}

impl NoteKey for ModuleKey {
    fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &str) -> Result<SignatureLine, SignerError> {
        let signature = self.sign_bytes(text.as_bytes()).map_err(|reason| SignerError::Module {
            key: self.location.label.clone(),
            reason,
        })?;
        Ok(SignatureLine {
            name: self.verifier.name().clone(),
            id: self.verifier.id(),
            signature,
        })
    }
}

/// Loads and initialises a module. Several keys may be in one module, which is initialised once per process.
fn load(path: &Path) -> Result<Pkcs11, Error> {
    let module = Pkcs11::new(path)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
        Err(error) => Err(error),
    }
}

fn log_in(module: &Pkcs11, location: &KeyLocation, pin: &AuthPin) -> Result<OpenSession, String> {
    let text = |error: Error| error.to_string();
    let slots = module.get_slots_with_token().map_err(text)?;
    let named = |slot: &cryptoki::slot::Slot| {
        let token = module.get_token_info(*slot);
        token.is_ok_and(|token| token.label().trim_end() == location.token)
    };
    let slot = slots.into_iter().find(named);
    let slot = slot.ok_or_else(|| format!("there is no token {:?}", location.token))?;
    let session = module.open_ro_session(slot).map_err(text)?;
    match session.login(UserType::User, Some(pin)) {
        // A login is valid for all sessions of the process with that token.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(error) => return Err(error.to_string()),
    }
    let private = find(&session, location, ObjectClass::PRIVATE_KEY)?;
    Ok(OpenSession { session, private })
}

fn find(session: &Session, location: &KeyLocation, class: ObjectClass) -> Result<ObjectHandle, String> {
    let label = Attribute::Label(location.label.clone().into_bytes());
    let found = session.find_objects(&[Attribute::Class(class), label]);
    match found.map_err(|error| error.to_string())?.as_slice() {
        [only] => Ok(*only),
        several => Err(format!(
            "the token has {} objects of class {class} labelled {:?}, but must have one",
            several.len(),
            location.label
        )),
    }
}

/// The 32 bytes of the public key. SPEC PKCS #11 v3.1 §6.3.5: `CKA_EC_POINT` is the point in a DER OCTET STRING; some
/// modules return it without that wrapping.
fn public_key(session: &Session, location: &KeyLocation) -> Result<[u8; 32], String> {
    let object = find(session, location, ObjectClass::PUBLIC_KEY)?;
    let attributes = session.get_attributes(object, &[AttributeType::EcPoint]);
    let point = match attributes.map_err(|error| error.to_string())?.as_slice() {
        [Attribute::EcPoint(point)] => point.clone(),
        _ => return Err("the public key has no point".to_owned()),
    };
    let bare = point.strip_prefix(&[0x04, 32]).unwrap_or(&point);
    bare.try_into()
        .map_err(|_| "the public key is not an Ed25519 key".to_owned())
}
