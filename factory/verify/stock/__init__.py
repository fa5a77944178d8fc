"""Programs that ask a stock tool about a wheel, each in a process of its own: ``REQUEST ANSWER``, JSON files.

auditwheel changes the working directory, all three keep caches by path and log as
they like, and none bounds what a hostile file may cost. In a process that ends,
none of that reaches the factory. They import nothing of it and judge nothing;
`factory.verify.stock.stock_tools` does.
"""
