//! Gives every responder an AWS that cannot be called.
//!
//! A responder is generic over the part of AWS it needs, a trait that only the SDK's adapter implements, and SDKs take
//! too long to build for fuzzing. Its pure half needs no AWS at all; only the compiler wants a type. So for each folder in
//! `functions/` this writes an enum without values that implements the trait, from the trait's own text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::visit::{self, Visit};
use syn::{File, GenericParam, Ident, Item, ItemImpl, ItemTrait, TraitItem, Type, TypeParamBound, UseTree, Visibility};

fn main() {
    let functions = Path::new("../functions");
    println!("cargo::rerun-if-changed={}", functions.display());
    let mut folders: Vec<_> = fs::read_dir(functions).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let modules: TokenStream = folders.iter().filter(|path| path.is_dir()).map(|path| module(path)).collect();
    let out = Path::new(&env::var_os("OUT_DIR").unwrap()).join("nobody.rs");
    fs::write(out, modules.to_string()).unwrap();
}

/// A responder's sources, by module: `["group"]`, and the library itself by none.
struct Sources {
    krate: Ident,
    files: Vec<(Vec<String>, File)>,
}

impl Sources {
    fn of(folder: &Path) -> Self {
        let krate = format_ident!("{}", folder.file_name().unwrap().to_str().unwrap().replace('-', "_"));
        let (mut files, mut open) = (Vec::new(), vec![folder.join("src")]);
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
                files.push((module_of(path.strip_prefix(folder.join("src")).unwrap()), file));
            }
        }
        Self { krate, files }
    }

    fn items(&self) -> impl Iterator<Item = (&[String], &File, &Item)> {
        self.files.iter().flat_map(|(module, file)| file.items.iter().map(move |item| (&**module, file, item)))
    }

    /// How others name what is called `name` in a module: by the module if it is public, else as the crate's own.
    fn public(&self, module: &[String], name: &Ident) -> TokenStream {
        let krate = &self.krate;
        let is_public = |item: &Item| match item {
            Item::Mod(it) => module == [it.ident.to_string()] && matches!(it.vis, Visibility::Public(_)),
            _ => false,
        };
        if self.items().any(|(inside, _, item)| inside.is_empty() && is_public(item)) {
            let module = format_ident!("{}", module[0]);
            quote!(::#krate::#module::#name)
        } else {
            quote!(::#krate::#name)
        }
    }
}

fn module_of(file: &Path) -> Vec<String> {
    let path: PathBuf = file.with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "lib" && name != "mod").collect()
}

fn module(folder: &Path) -> TokenStream {
    let sources = Sources::of(folder);
    let krate = &sources.krate;
    let Some((responder, bounds)) = sources.items().find_map(|(module, _, item)| match item {
        Item::Impl(it) if module.is_empty() => responder(it),
        _ => None,
    }) else {
        panic!("{}: no `impl<T: Port> Responder for Type<T>` in src/lib.rs", folder.display());
    };
    let nobodies = bounds.iter().enumerate().map(|(index, bound)| {
        let nobody = format_ident!("Nobody{index}");
        let (module, file, port) = sources
            .items()
            .find_map(|(module, file, item)| match item {
                Item::Trait(it) if it.ident == *bound => Some((module, file, it)),
                _ => None,
            })
            .unwrap_or_else(|| panic!("{}: no trait `{bound}`", folder.display()));
        implementation(&sources, module, file, port, &nobody)
    });
    let types = (0..bounds.len()).map(|index| format_ident!("Nobody{index}"));
    quote! {
        pub mod #krate {
            #(#nobodies)*
            pub type Pure = ::#krate::#responder<#(#types),*>;
        }
    }
}

/// The type and what its parameters must be, if this is the implementation of `Responder`.
fn responder(item: &ItemImpl) -> Option<(Ident, Vec<Ident>)> {
    let (_, implemented, _) = item.trait_.as_ref()?;
    let Type::Path(path) = &*item.self_ty else { return None };
    if implemented.segments.last()?.ident != "Responder" {
        return None;
    }
    let bound = |param: &GenericParam| match param {
        GenericParam::Type(it) => it.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(it) => Some(it.path.segments.last()?.ident.clone()),
            _ => None,
        }),
        _ => None,
    };
    let bounds = item.generics.params.iter().map(bound).collect::<Option<_>>()?;
    Some((path.path.segments.last()?.ident.clone(), bounds))
}

fn implementation(sources: &Sources, module: &[String], file: &File, port: &ItemTrait, nobody: &Ident) -> TokenStream {
    let signatures: Vec<_> = port
        .items
        .iter()
        .filter_map(|item| match item {
            TraitItem::Fn(it) => Some(&it.sig),
            _ => None,
        })
        .collect();
    let mut names = Names(vec![port.ident.clone()]);
    for signature in &signatures {
        names.visit_signature(signature);
    }
    names.0.sort();
    names.0.dedup();
    let imported = imports(file);
    let uses = names.0.iter().filter_map(|name| {
        let defined = file.items.iter().any(|item| match item {
            Item::Struct(it) => it.ident == *name,
            Item::Enum(it) => it.ident == *name,
            Item::Type(it) => it.ident == *name,
            Item::Trait(it) => it.ident == *name,
            _ => false,
        });
        match imported.get(name) {
            Some(path) if path[0] == "crate" => {
                let inside: Vec<String> = path[1..path.len() - 1].iter().map(ToString::to_string).collect();
                Some(sources.public(&inside, name))
            }
            Some(path) => Some(quote!(#(#path)::*)),
            None if defined => Some(sources.public(module, name)),
            None => None,
        }
    });
    let name = &port.ident;
    quote! {
        #(use #uses;)*
        #[derive(Clone, Copy, Debug)]
        pub enum #nobody {}
        impl #name for #nobody {
            #(#[allow(unused_variables)] #signatures { match *self {} })*
        }
    }
}

/// The first names of all paths.
struct Names(Vec<Ident>);

impl Visit<'_> for Names {
    fn visit_path(&mut self, path: &syn::Path) {
        self.0.extend(path.segments.first().map(|segment| segment.ident.clone()));
        visit::visit_path(self, path);
    }
}

/// What a file imports, by name.
fn imports(file: &File) -> BTreeMap<Ident, Vec<Ident>> {
    fn add(tree: &UseTree, mut path: Vec<Ident>, into: &mut BTreeMap<Ident, Vec<Ident>>) {
        match tree {
            UseTree::Path(it) => {
                path.push(it.ident.clone());
                add(&it.tree, path, into);
            }
            UseTree::Name(it) => {
                path.push(it.ident.clone());
                into.insert(it.ident.clone(), path);
            }
            UseTree::Group(it) => it.items.iter().for_each(|tree| add(tree, path.clone(), into)),
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }
    let mut imports = BTreeMap::new();
    for item in &file.items {
        if let Item::Use(it) = item {
            add(&it.tree, Vec::new(), &mut imports);
        }
    }
    imports
}
