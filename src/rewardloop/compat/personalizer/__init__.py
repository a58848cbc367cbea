"""Azure Personalizer: what its two SDKs send, over the same log, loop and registry as everything else here.

Asked      `routes`; `target` is the experiment meant, `requests` what is asked, of `features` and the actions `offered`; `bodies`
           is what all have in common; `replies` what the SDKs understand
Deciding   `ranking`, `rewarding`
Settings   `administration` of `configuration` and `policies`, with their `durations` and the `share` explored; `kept` is what no
           setting holds; `importing` from files
Evaluating `evaluations` are `jobs` in a process (`job`, `starting`) that is `evaluating` over `periods`, into `statistics`, `shown`
           in both dialects
Models     `models` as `archives`, by a process of their own (`model_work`)
"""
