// The sign-in dialog, for browsers that do not yet know `command` on buttons; nothing else on the page needs a script.
const dialog = document.getElementById("dialog");
if (dialog && !("command" in HTMLButtonElement.prototype)) {
  document.getElementById("sign-in-button").addEventListener("click", () => dialog.showModal());
  document.getElementById("close-dialog").addEventListener("click", () => dialog.close());
}
