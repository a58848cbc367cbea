"""Azure Personalizer: what its two SDKs send, over the same log, loop and registry as everything else here."""
