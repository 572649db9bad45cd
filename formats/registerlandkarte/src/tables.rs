//! All tables.

use serde::{Deserialize, Serialize};

use crate::catalogue::{BodyClass, EvidenceType, RegisterType};
use crate::norm::Norm;
use crate::placed::{ListedBody, RegisterInstance};
use crate::rule::Rule;

/// All tables, in any order. [`crate::check()`] says whether they fit each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// The classes of bodies.
    pub classes: Vec<BodyClass>,
    /// The types of registers.
    pub registers: Vec<RegisterType>,
    /// The types of evidence.
    pub evidence: Vec<EvidenceType>,
    /// The norms.
    pub norms: Vec<Norm>,
    /// The permissions.
    pub permissions: Vec<Rule>,
    /// The bodies.
    pub bodies: Vec<ListedBody>,
    /// The components that serve registers.
    pub instances: Vec<RegisterInstance>,
}

impl Tables {
    /// Puts each table into the order of its names, which decides between rules of several classes.
    pub(crate) fn sort(&mut self) {
        self.classes.sort_by(|a, b| a.id.cmp(&b.id));
        self.registers.sort_by(|a, b| a.id.cmp(&b.id));
        self.evidence.sort_by(|a, b| a.id.cmp(&b.id));
        self.norms.sort_by(|a, b| a.id.cmp(&b.id));
        self.permissions
            .sort_by(|a, b| (&a.id, a.version).cmp(&(&b.id, b.version)));
        self.bodies
            .sort_by(|a, b| (&a.id, a.recorded, a.valid).cmp(&(&b.id, b.recorded, b.valid)));
        self.instances.sort_by(|a, b| {
            (&a.component, &a.register, a.recorded, a.valid).cmp(&(&b.component, &b.register, b.recorded, b.valid))
        });
    }
}
