/* Taking addresses apart is libcurl's job; this is what MLflow means by them. */
#include "track/track_address.h"

#include <stdbool.h>
#include <string.h>

#include <curl/curl.h>

#include "base/fail.h"
#include "base/mem.h"

static const char artifact_scheme[] = "mlflow-artifacts:";
static const char artifact_root[] = "/api/2.0/mlflow-artifacts/artifacts";

/* A part of an address, or NULL; `decode` turns %40 into '@'. */
static bool take_part(CURLU *url, CURLUPart part, bool decode, char **out)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, decode ? CURLU_URLDECODE : 0) != CURLUE_OK) {
        *out = NULL;
        return true;
    }
    *out = weft_mem_strdup(text);
    curl_free(text);
    return *out != NULL;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool found = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return found;
}

static bool take_parts(CURLU *url, struct weft_address *out)
{
    return take_part(url, CURLUPART_USER, true, &out->user) &&
           take_part(url, CURLUPART_PASSWORD, true, &out->password) &&
           curl_url_set(url, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
           take_part(url, CURLUPART_URL, false, &out->base) && out->base != NULL;
}

weft_status weft_address_parse(const char *uri, struct weft_address *out, weft_error *err)
{
    bool http = strncmp(uri, "http://", 7) == 0 || strncmp(uri, "https://", 8) == 0;
    CURLU *url = curl_url();
    if (url == NULL) {
        return weft_fail_nomem(err, "an address");
    }
    struct weft_address found = {0};
    weft_status status = WEFT_OK;
    if (!http || curl_url_set(url, CURLUPART_URL, uri, 0) != CURLUE_OK) {
        size_t scheme = strcspn(uri, ":/@");
        status = weft_fail(err, WEFT_ERR_ARG,
                           "wanted the address of a server, http://HOST or https://HOST; got "
                           "'%.*s%s'",
                           scheme < 20 ? (int)scheme : 20, uri,
                           uri[scheme] != '\0' || scheme > 20 ? "..." : "");
    } else if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT)) {
        /* Nor what stands there: it may be a secret. */
        status = weft_fail(err, WEFT_ERR_ARG,
                           "wanted the address of a server; got one with '?' or '#' in it");
    } else if (!take_parts(url, &found)) {
        status = weft_fail_nomem(err, "an address");
    }
    curl_url_cleanup(url);
    if (status != WEFT_OK) {
        weft_address_release(&found);
        return status;
    }
    for (size_t len = strlen(found.base); len > 0 && found.base[len - 1] == '/'; len--) {
        found.base[len - 1] = '\0';
    }
    *out = found;
    return WEFT_OK;
}

void weft_address_release(struct weft_address *address)
{
    weft_mem_free(address->base);
    weft_mem_free(address->user);
    weft_mem_free(address->password);
    *address = (struct weft_address){0};
}

/* Appends '/' and each part of `path`, percent-encoded; `to` has room for three times its bytes. */
static void append_path(char *to, const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/";
    static const char hex[] = "0123456789ABCDEF";
    path += strspn(path, "/");
    to += strlen(to);
    *to++ = '/';
    for (; *path != '\0'; path++) {
        unsigned char byte = (unsigned char)*path;
        if (strchr(plain, byte) != NULL) {
            *to++ = *path;
        } else {
            *to++ = '%';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    while (to[-1] == '/') {
        to--;
    }
    *to = '\0';
}

/* Where the path begins in "mlflow-artifacts:/PATH" or "mlflow-artifacts://HOST/PATH" with the host
 * of `base`; NULL for anything else: passwords go to no other host. */
static const char *path_of(const char *base, const char *artifact_uri)
{
    if (strncmp(artifact_uri, artifact_scheme, strlen(artifact_scheme)) != 0) {
        return NULL;
    }
    const char *rest = artifact_uri + strlen(artifact_scheme);
    if (strncmp(rest, "//", 2) != 0) {
        return rest;
    }
    const char *own = strstr(base, "://") + 3;
    size_t len = strcspn(own, "/");
    rest += 2;
    return strncmp(rest, own, len) == 0 && (rest[len] == '/' || rest[len] == '\0') ? rest + len
                                                                                   : NULL;
}

weft_status weft_address_of_artifact(const char *base, const char *artifact_uri, const char *file,
                                     char **out, weft_error *err)
{
    const char *path = path_of(base, artifact_uri);
    if (path == NULL) {
        return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                         "files: wanted a server that takes them itself (mlflow-artifacts:); this "
                         "one keeps them in %.*s...",
                         (int)strcspn(artifact_uri, ":"), artifact_uri);
    }
    size_t size = sizeof artifact_root + 3 * (strlen(path) + strlen(file)) + 3;
    char *text = weft_mem_alloc(size, 1);
    if (text == NULL) {
        return weft_fail_nomem(err, "an address");
    }
    memcpy(text, artifact_root, sizeof artifact_root);
    append_path(text, path);
    append_path(text, file);
    *out = text;
    return WEFT_OK;
}
