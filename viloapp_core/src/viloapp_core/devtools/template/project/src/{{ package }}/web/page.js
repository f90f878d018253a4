// viloapp.js is ViloApp's: it connects this page to the widget in plugin.py, and to nothing else.
import { connect } from "./viloapp.js";

const view = await connect();
const greeting = document.querySelector("#greeting");
const name = document.querySelector("#name");

async function greet() {
  try {
    greeting.textContent = (await view.request("greet", { name: name.value || "world" })).greeting;
  } catch (error) {
    greeting.textContent = error.detail;
  }
}

name.value = view.data.name;
document.querySelector("#greet").addEventListener("click", greet);
name.addEventListener("keydown", (event) => event.key === "Enter" && greet());
await greet();
