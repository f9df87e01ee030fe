// Who this page is to the server.

/// A token comes in the fragment, which browsers do not send, and leaves the address at once.
function take() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem("token") ?? "";
}

export const token = take();
export const headers = token ? { Authorization: `Bearer ${token}` } : {};
