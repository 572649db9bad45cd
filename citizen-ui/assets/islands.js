// Starts the browser's program and passes each island to its function. It is an external file because the content security
// policy forbids inline scripts, and a module so that it runs after the document has been parsed.
import init, * as portal from "/pkg/portal.js";

await init({ module_or_path: "/pkg/portal_bg.wasm" });
portal.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
    const start = portal[island.dataset.component];
    if (start) {
        start(island);
    } else {
        console.error(`no function for the island ${island.dataset.component}`);
    }
}
document.documentElement.dataset.islands = "ready";
