// The host hands over one port; everything goes through it.
addEventListener("message", (event) => {
  const [port] = event.ports;
  if (!port) return;
  port.onmessage = ({ data }) => {
    if (data.greeting) document.querySelector("#greeting").textContent = data.greeting;
  };
  port.postMessage({ command: "greet", args: { name: "you" } });
});
