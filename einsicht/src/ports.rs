//! Addresses of the compartments: free ports, or consecutive ports from a base.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

/// A bound listener and its address for each compartment, by name.
pub(crate) struct Ports {
    listeners: BTreeMap<String, TcpListener>,
    addresses: BTreeMap<String, SocketAddr>,
}

impl Ports {
    /// Binds one listener per name, in this order: on `base`, `base` + 1, …, or on free ports without a base.
    pub(crate) async fn bind(names: &[String], base: Option<SocketAddr>) -> Result<Self> {
        let mut ports = Self {
            listeners: BTreeMap::new(),
            addresses: BTreeMap::new(),
        };
        for (offset, name) in (0_u16..).zip(names) {
            let address = match base {
                None => SocketAddr::from(([127, 0, 0, 1], 0)),
                Some(base) => {
                    let port = base
                        .port()
                        .checked_add(offset)
                        .context("--listen: too few ports above the base")?;
                    SocketAddr::new(base.ip(), port)
                }
            };
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address} for {name}"))?;
            ports.addresses.insert(name.clone(), listener.local_addr()?);
            ports.listeners.insert(name.clone(), listener);
        }
        Ok(ports)
    }

    /// The base URL of a compartment.
    pub(crate) fn url(&self, name: &str) -> Result<String> {
        Ok(format!("http://{}", self.address(name)?))
    }

    /// The base URL of a compartment that is reached over TLS.
    pub(crate) fn secure_url(&self, name: &str) -> Result<String> {
        Ok(self.url(name)?.replacen("http", "https", 1))
    }

    /// The address of a compartment.
    pub(crate) fn address(&self, name: &str) -> Result<SocketAddr> {
        let address = self.addresses.get(name);
        address.copied().with_context(|| format!("no address for {name}"))
    }

    /// Takes a compartment's listener.
    pub(crate) fn take(&mut self, name: &str) -> Result<TcpListener> {
        self.listeners
            .remove(name)
            .with_context(|| format!("no listener for {name}"))
    }
}
