# functions/__init__.py
"""One Lambda function a file. Whatever one logs says what it is done for, where that is known.

What importing one makes stays; to look through it for garbage again and again costs a tenth of a cold start. So garbage
is looked for after as many new objects as an import makes, and not, as Python has it, after every 700.
"""

import gc

from crm.kernel import correlation

correlation.mark_logs()
gc.set_threshold(200_000, 10, 10)
