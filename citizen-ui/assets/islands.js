// Starts the program of the islands and hands every island to its function. External, so that the Content-Security-Policy
// needs no inline script; a module, so that it runs after the page is there.
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
