// Keys go to the screen without a click first: once textual.js has its socket open.
window.addEventListener("load", () => {
  new MutationObserver((_, observer) => {
    if (document.body.classList.contains("-loaded")) {
      observer.disconnect();
      document.querySelector(".xterm-helper-textarea").focus();
    }
  }).observe(document.body, { attributeFilter: ["class"] });
});
