// Who this page is to the server, and what its refusals say to whom the page is for.

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

// Another link opened in this tab changes nothing but the fragment.
addEventListener("hashchange", () => { if (new URLSearchParams(location.hash.slice(1)).get("token")) location.reload(); });

/// What a token says; nothing where there is none. The server decides: this only tells beforehand.
function claims() {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))) ?? {};
  } catch { return {}; }
}

export const { role: grantedRole = null, sub: subject = "" } = claims();
export const headers = token ? { Authorization: `Bearer ${token}` } : {};

/// What a refusal says. That a token is wanted is said in the words of those who were sent a link.
export async function problem(response) {
  if (response.status === 401 && !token) return "This server lets in who has a token: open the link that you were sent, whole, with #token=… at its end.";
  const answer = await response.json().catch(() => null);
  return answer?.detail ?? `The server answered ${response.status}.`;
}
