/* Loads the libclang named on the command line, parses a header with it and prints its version: what bindgen does. */
#include <dlfcn.h>
#include <stdio.h>

typedef struct { const void *data; unsigned flags; } String;
struct Unsaved { const char *name; const char *contents; unsigned long length; };

static const char HEADER[] = "#include <stddef.h>\nsize_t einsicht_probe(const char *text);\n";

int main(int count, char **words) {
    void *library = count == 2 ? dlopen(words[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) { fprintf(stderr, "%s\n", count == 2 ? dlerror() : "one argument is needed"); return 2; }
    String (*version)(void) = (String (*)(void))dlsym(library, "clang_getClangVersion");
    const char *(*text)(String) = (const char *(*)(String))dlsym(library, "clang_getCString");
    void *(*index)(int, int) = (void *(*)(int, int))dlsym(library, "clang_createIndex");
    int (*parse)(void *, const char *, const char *const *, int, struct Unsaved *, unsigned, unsigned, void **) =
        (int (*)(void *, const char *, const char *const *, int, struct Unsaved *, unsigned, unsigned, void **))
            dlsym(library, "clang_parseTranslationUnit2");
    unsigned (*complaints)(void *) = (unsigned (*)(void *))dlsym(library, "clang_getNumDiagnostics");
    if (!version || !text || !index || !parse || !complaints) { fputs("it lacks functions of libclang\n", stderr); return 3; }
    struct Unsaved header = {"einsicht_probe.h", HEADER, sizeof HEADER - 1};
    const char *const flags[] = {"-x", "c"};
    void *unit = NULL;
    int failure = parse(index(0, 0), "einsicht_probe.h", flags, 2, &header, 1, 0, &unit);
    if (failure || !unit || complaints(unit)) {
        fputs("it cannot parse a header that includes <stddef.h>; its own headers are missing\n", stderr);
        return 4;
    }
    puts(text(version()));
    return 0;
}
