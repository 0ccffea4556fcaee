// The client of the server `inception-dsl lsp`: starts it, and tells it which files are specs.
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const LANGUAGE = "inception-dsl";
const SCHEMA = "inception-dsl://schema/spec";
const SPEC = /^inception[ \t]*:/m;
const YAML_EXTENSION = "redhat.vscode-yaml";

/** @type {LanguageClient | undefined} */
let client;

function settings() {
  return vscode.workspace.getConfiguration("inceptionDsl");
}

/** Returns whether a document is a spec: a YAML text with the key `inception`. */
function isSpec(document) {
  return ["yaml", LANGUAGE].includes(document.languageId) && SPEC.test(document.getText());
}

/** Gives a spec its language, unless specs stay YAML. */
async function claim(document) {
  if (settings().get("language") === LANGUAGE && document.languageId === "yaml" && isSpec(document)) {
    await vscode.languages.setTextDocumentLanguage(document, LANGUAGE);
  }
}

/** Returns the words of the command that starts the server. */
function findCommand() {
  const chosen = settings().get("server.command");
  if (Array.isArray(chosen) && chosen.length > 0) {
    return chosen;
  }
  // A folder that is not trusted must not choose what runs.
  const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
  const place = process.platform === "win32" ? ["Scripts", "inception-dsl.exe"] : ["bin", "inception-dsl"];
  const own = folders
    .filter((folder) => folder.uri.scheme === "file")
    .map((folder) => join(folder.uri.fsPath, ".venv", ...place))
    .find((path) => existsSync(path));
  return [own ?? "inception-dsl", "lsp"];
}

async function start() {
  const [command, ...args] = findCommand();
  const documentSelector = [LANGUAGE, "yaml"].flatMap((language) =>
    ["file", "untitled"].map((scheme) => ({ scheme, language })),
  );
  client = new LanguageClient(
    "inceptionDsl",
    "inception-dsl",
    { command, args },
    {
      documentSelector,
      initializationOptions: {
        hints: settings().get("hints"),
        inlayHints: settings().get("inlayHints"),
      },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    vscode.window.showErrorMessage(
      `The server of inception-dsl does not start: ${reason}. ` +
        "Install it with `pip install 'inception-dsl[lsp]'`, or set `inceptionDsl.server.command`.",
    );
  }
}

async function restart() {
  const running = client;
  client = undefined;
  await running?.stop().catch(() => undefined);
  await start();
}

/** Gives the extension for YAML the JSON Schema of specs, for specs alone. */
async function contributeSchema(context) {
  const yaml = vscode.extensions.getExtension(YAML_EXTENSION);
  if (yaml === undefined) {
    return;
  }
  const api = await yaml.activate();
  api?.registerContributor?.(
    LANGUAGE,
    (resource) => {
      const open = vscode.workspace.textDocuments.find((text) => text.uri.toString() === resource);
      return open !== undefined && isSpec(open) ? SCHEMA : undefined;
    },
    () => readFileSync(join(context.extensionPath, "spec.schema.json"), "utf8"),
  );
}

async function activate(context) {
  context.subscriptions.push(
    vscode.workspace.onDidOpenTextDocument(claim),
    vscode.workspace.onDidChangeTextDocument((event) => claim(event.document)),
    vscode.commands.registerCommand("inceptionDsl.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) =>
      event.affectsConfiguration("inceptionDsl") ? restart() : undefined,
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
  );
  await Promise.all(vscode.workspace.textDocuments.map(claim));
  await contributeSchema(context);
  await start();
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
