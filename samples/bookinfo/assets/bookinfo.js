// The sign-in dialog; everything else on the page works without script.
const dialog = document.getElementById("dialog");
if (dialog) {
  document.getElementById("sign-in-button").addEventListener("click", () => dialog.showModal());
  document.getElementById("close-dialog").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
